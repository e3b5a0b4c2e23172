// PostGraphile 5 over views of the current rows, which say their keys in comments.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const { PEER_SOCKET, PEER_USER, PEER_DATABASE, PEER_PORT } = process.env;
const preset = {
  extends: [PostGraphileAmberPreset],
  disablePlugins: ["NodePlugin", "MutationPlugin"],
  pgServices: [
    makePgService({
      connectionString: `postgresql:///${PEER_DATABASE}?host=${encodeURIComponent(PEER_SOCKET)}&user=${PEER_USER}`,
      schemas: ["peer"],
      poolConfig: { max: 10 },
    }),
  ],
  grafserv: { graphiql: false, graphqlPath: "/graphql", watch: false },
  grafast: { explain: false },
};
const pgl = postgraphile(preset);
const serv = pgl.createServ(grafserv);
const server = createServer();
await serv.addTo(server);
if (process.env.PEER_PRINT) {
  const { printSchema } = await import("graphql");
  const { schema } = await pgl.getSchemaResult();
  console.log(printSchema(schema));
}
server.listen(Number(PEER_PORT), "127.0.0.1");
