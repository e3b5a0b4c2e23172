// Watches a running demo through graphql-ws and graphql-sse, and prints what came and how it ended.
import { createClient as socketClient } from "graphql-ws";
import { createClient as eventClient } from "graphql-sse";
import WebSocket from "ws";
import { print as text } from "graphql";
import { operations, print, told } from "./front.mjs";

const { url, tokens } = told.demo;
let partners = 1;
const partner = () => ({
  name: `Bank ${(partners += 1)} (synthetic)`,
  contact: "dpo@bank.example",
  purposes: ["SUPERVISION"],
});
const REGISTER = `mutation ($input: RegisterPartnerInput!) { registerPartner(input: $input) { auditEntry } }`;
const watching = {
  query: text(operations.EntriesAsTheyCome),
  operationName: "EntriesAsTheyCome",
  variables: { filter: { action: { eq: "partner:register" } } },
};

const socket = (token, more = {}) =>
  socketClient({
    url: `${url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    ...more,
  });
const events = (token, more = {}) =>
  eventClient({ url: `${url}/graphql`, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0, ...more });

const ending = (error) => ({ code: error.code, status: error.response?.status });

/** The answer to one request that ends by itself. */
const once = (client, query, variables = {}) =>
  new Promise((resolve, reject) => {
    let answer;
    client.subscribe({ query, variables }, { next: (one) => (answer = one), error: reject, complete: () => resolve(answer) });
  });

/** How many watchers the log tells of so far. */
const begun = async () => {
  const query = `{ auditEntries(first: 1, filter: {action: {eq: "audit:watch"}}) { totalCount } }`;
  return (await once(socket(tokens.auditor), query)).data.auditEntries.totalCount;
};

/** Watches until something arrives, and ends the stream; the change is made once the server watches. */
async function delivered(client, change) {
  const before = await begun();
  const stream = client.iterate(watching);
  const first = stream.next();
  while ((await begun()) <= before) await new Promise((go) => setTimeout(go, 50));
  const entry = await change();
  const { value } = await first;
  const { done } = await stream.return();
  const { nodes, pageInfo } = value.data.auditEntries;
  return { entry, ids: nodes.map(({ id }) => id), actors: nodes.map(({ actor }) => actor), cursor: pageInfo.endCursor, done };
}

const register = (client) => async () =>
  (await once(client, REGISTER, { input: partner() })).data.registerPartner.auditEntry;

async function after(client, cursor) {
  const variables = { ...watching.variables, after: cursor };
  const stream = client.iterate({ ...watching, variables });
  const { value } = await stream.next();
  await stream.return();
  return value.data.auditEntries.nodes.map(({ id }) => id);
}

const failing = async (asked) => {
  try {
    const { data, errors } = await asked;
    return errors ? { codes: errors.map((one) => one.extensions.code) } : { data };
  } catch (error) {
    return Array.isArray(error) ? { codes: error.map((one) => one.extensions.code) } : ending(error);
  }
};

/** What an auditor and others see through one kind of client. */
async function seen(client, more) {
  const auditor = client(tokens.auditor, more);
  const officer = client(tokens.privacy_officer);
  const came = await delivered(auditor, register(officer));
  const [behind, entry] = await Promise.all([after(auditor, came.cursor), register(officer)()]);
  return {
    came,
    behind,
    entry,
    me: (await once(auditor, "{ me { person } }")).data.me.person,
    nobody: await failing(once(client("no.such.token"), "{ me { person } }")),
    notGranted: await failing(once(client(tokens.sales), watching.query, watching.variables)),
    invalid: await failing(once(auditor, "subscription { nothing }")),
  };
}

const closed = [];
const on = { closed: ({ code, wasClean }) => closed.push([code, wasClean]) };
const sockets = await seen(socket, { on });
const streams = await seen(events);
print({ sockets, closed, streams });
process.exit(0);
