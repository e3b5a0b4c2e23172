// Mercurius with its own loaders, and graphql-jit from the first repeat of a document on.
import Fastify from "fastify";
import mercurius from "mercurius";
import { actions, assessments, roots, typeDefs } from "./schema.mjs";

const loader = (fetch) => ({
  loader: async (queries) => {
    const first = queries[0].params.first;
    return fetch(queries.map(({ obj }) => obj.id), first);
  },
  opts: { cache: false },
});
const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Query: roots },
  loaders: { CreditFile: { assessments: loader(assessments), controlActions: loader(actions) } },
  jit: 1,
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PEER_PORT) });
