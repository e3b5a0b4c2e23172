// The schema subset and its statements, shared by the two servers whose resolvers are written by hand.
import pg from "pg";

pg.types.setTypeParser(20, Number); // counts and scores fit
pg.types.setTypeParser(1082, (day) => day); // a date stays text

export const typeDefs = `
  type Query {
    creditFile(id: ID!): CreditFile
    creditFiles(first: Int = 20, after: String): CreditFileConnection
  }
  type CreditFile {
    id: ID! name: String! grade: String score: Int creditStatus: String!
    assessments(first: Int = 20): AssessmentConnection!
    controlActions(first: Int = 20): ControlActionConnection!
  }
  type Assessment { id: ID! kind: String! asOf: String! score: Int grade: String }
  type ControlAction { id: ID! kind: String! state: String! scope: String! deadlineOn: String! }
  type CreditFileConnection { nodes: [CreditFile!]! }
  type AssessmentConnection { nodes: [Assessment!]! }
  type ControlActionConnection { nodes: [ControlAction!]! }
`;

const tenant = process.env.PEER_TENANT;
export const pool = new pg.Pool({
  host: process.env.PEER_SOCKET, user: process.env.PEER_USER, database: process.env.PEER_DATABASE, max: 10,
});

const FILE = `SELECT id, name, grade, score, credit_status AS "creditStatus" FROM credit_file
  WHERE tenant = $1 AND superseded_at IS NULL`;
const children = (columns, table) => `
  SELECT k.* FROM unnest($2::text[]) AS f(id) CROSS JOIN LATERAL (
    SELECT credit_file, ${columns} FROM ${table}
    WHERE tenant = $1 AND superseded_at IS NULL AND credit_file = f.id ORDER BY id LIMIT $3) k`;
const ASSESSMENTS = children('id, kind, as_of AS "asOf", score, grade', "assessment");
const ACTIONS = children('id, kind, state, scope, deadline_on AS "deadlineOn"', "control_action");

// Named, so that PostgreSQL prepares each once per connection.
const rows = async (name, text, values) => (await pool.query({ name, text, values: [tenant, ...values] })).rows;

const batch = async (name, sql, ids, first) => {
  const found = new Map(ids.map((id) => [id, []]));
  for (const row of await rows(name, sql, [ids, first])) found.get(row.credit_file).push(row);
  return ids.map((id) => ({ nodes: found.get(id) }));
};
export const assessments = (ids, first) => batch("assessments", ASSESSMENTS, ids, first);
export const actions = (ids, first) => batch("actions", ACTIONS, ids, first);

export const roots = {
  creditFile: async (_, { id }) => (await rows("file", `${FILE} AND id = $2`, [id]))[0] ?? null,
  creditFiles: async (_, { first, after }) => ({
    nodes: await rows("files", `${FILE} AND id > $2 ORDER BY id LIMIT $3`, [after ?? "", first]),
  }),
};
