// Apollo Server 5 with a DataLoader per request and link.
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import DataLoader from "dataloader";
import { actions, assessments, roots, typeDefs } from "./schema.mjs";

const loader = (fetch) => {
  const loaders = new Map();
  return (id, first) => {
    if (!loaders.has(first)) loaders.set(first, new DataLoader((ids) => fetch(ids, first), { cache: false }));
    return loaders.get(first).load(id);
  };
};
const server = new ApolloServer({
  typeDefs,
  resolvers: {
    Query: roots,
    CreditFile: {
      assessments: (file, { first }, context) => context.assessments(file.id, first),
      controlActions: (file, { first }, context) => context.actions(file.id, first),
    },
  },
  csrfPrevention: false,
  introspection: false,
});
await startStandaloneServer(server, {
  listen: { host: "127.0.0.1", port: Number(process.env.PEER_PORT) },
  context: async () => ({ assessments: loader(assessments), actions: loader(actions) }),
});
