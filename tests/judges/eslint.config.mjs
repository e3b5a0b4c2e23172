// The rules of graphql-eslint for our schema, and for the documents of a front end. Each exception says why.
import { readFileSync } from "node:fs";
import plugin from "@graphql-eslint/eslint-plugin";

const graphQLConfig = JSON.parse(readFileSync("graphql.json", "utf8"));
const rules = (name) => plugin.configs[name].rules;
const judged = (files, found) => ({
  files: [files],
  languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig } },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  plugins: { "@graphql-eslint": plugin },
  rules: found,
});

const schema = {
  ...rules("flat/schema-recommended"),
  ...rules("flat/schema-relay"),
  "@graphql-eslint/strict-id-in-types": [
    "error",
    {
      exceptions: {
        // Pages and answers come into being with a request; what is confidential is part of the record that holds it.
        suffixes: ["Connection", "Edge", "Payload", "Error", "Confidential"],
        types: [
          "PageInfo", // a page's place, as the Relay specification has it, without an id
          "Me", // the caller as the token says; no record
          "Money", // values inside a record: two equal ones are the same
          "Reason",
          "PointsLine",
          "GrantRule", // lines of one version of the grants, which has the id
          "GrantLink",
          "GrantChange",
          "GrantExplanation", // worked out when it is asked for
          "GrantDecision",
          "Separation", // a rule of the product
          "ClauseEvidence",
          "PolicyChange", // lines of one version of the credit policy, which has the id
          "LegalReference",
          "Migration", // lines of one simulation, which has the id
          "SegmentChange",
          "FindingCount",
          "Rejection", // a row that was refused is never kept
          "EntryProof", // shows that an entry stands in the log; the entry has the id
          "PathStep", // what would have to change, worked out when it is asked for
          "DisclosedValue", // handed out once, in the answer to one request
          "Withheld",
          "WithheldField", // stands beside the field it speaks of
        ],
      },
    },
  ],
  // Lists inside a record, such as reasons, errors and nodes, are whole; what pages is a connection.
  "@graphql-eslint/relay-edge-types": [
    "error",
    { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
  ],
  // Pages go forward; who wants the last ones first turns the order around with `orderBy`.
  "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
};

export default [
  judged("schema.graphql", schema),
  judged("documents/*.graphql", rules("flat/operations-recommended")),
];
