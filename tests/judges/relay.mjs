// Runs what relay-compiler made of the components of a desk through Relay's own store, against a running demo.
// Queries and mutations are registered as trusted documents and then asked for by their digests alone.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import runtime from "relay-runtime";
import { print, told } from "./front.mjs";

const { Environment, Network, RecordSource, Store } = runtime;
const { commitMutation, createOperationDescriptor, fetchQuery, getRequest, getSingularSelector } = runtime;
const { url, tokens } = told.demo;
const load = createRequire(import.meta.url);
const compiled = (name) => {
  const found = load(`./relay/__generated__/${name}.graphql.js`);
  return found.default ?? found;
};

async function post(role, body) {
  const headers = { authorization: `Bearer ${tokens[role]}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/graphql`, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json();
}

async function change(role, field, input, shows) {
  const query = `mutation ($input: ${field[0].toUpperCase()}${field.slice(1)}Input!) {
    ${field}(input: $input) { trustedDocument { ${shows} } errors { ... on UserError { message path } } } }`;
  const { data, errors } = await post(role, { query, variables: { input } });
  if (errors || data[field].errors.length) throw new Error(JSON.stringify(errors ?? data[field].errors));
  return data[field].trustedDocument;
}

/** What the documents open at most, masked or in clear. */
const SCOPE = ["contact.phone", "contact.person_name", "financial.bank_account"];

/** Every compiled document, proposed by one person and approved by another, by the digest its compiler gave it. */
async function trust() {
  const digests = [];
  for (const [name, text] of Object.entries(JSON.parse(readFileSync("relay/persisted.json", "utf8")))) {
    if (text.startsWith("subscription")) continue;
    const asked = { name, text, purpose: "CREDIT_REVIEW", scope: SCOPE };
    const { id, digest } = await change("credit_manager", "proposeTrustedDocument", asked, "id digest");
    await change("privacy_officer", "approveTrustedDocument", { document: id }, "state");
    digests.push([name, digest]);
  }
  return digests;
}

const sent = [];
const environment = new Environment({
  network: Network.create(async ({ id, name }, variables) => {
    sent.push(name);
    return post("credit_manager", { documentId: `sha256:${id}`, variables });
  }),
  store: new Store(new RecordSource()),
});

async function ask(name, variables) {
  const query = compiled(name);
  environment.retain(createOperationDescriptor(getRequest(query), variables));
  return fetchQuery(environment, query, variables).toPromise();
}

const read = (name, reference) => environment.lookup(getSingularSelector(compiled(name), reference)).data;

async function listed() {
  const filter = { state: { eq: "OPEN" } };
  const root = await ask("deskListQuery", { first: 10, filter });
  const sizes = [];
  for (;;) {
    const { edges, pageInfo } = read("deskList_files", root).creditFiles;
    sizes.push(edges.length);
    if (!pageInfo.hasNextPage) return { root, sizes };
    await ask("deskListPageQuery", { first: 10, after: pageInfo.endCursor, filter });
  }
}

const rows = (root) =>
  read("deskList_files", root).creditFiles.edges.map(({ node }) => {
    const row = read("deskRow_file", node);
    return { id: node.__id, grade: read("deskStanding_file", row).grade };
  });

async function decided(root) {
  const query = `{ assessments(filter: {state: {eq: IN_REVIEW}}) { nodes { id grade approverLevel creditFile { id } } } }`;
  const waiting = (await post("credit_manager", { query })).data.assessments.nodes;
  const mine = waiting.find((one) => one.approverLevel === "MANAGER");
  const grade = () => rows(root).find(({ id }) => id === mine.creditFile.id).grade;
  const page = await ask("deskPageQuery", { id: mine.creditFile.id, purpose: "CREDIT_REVIEW" });
  const before = grade();
  const requests = sent.length;
  const approve = (variables) =>
    new Promise((onCompleted, onError) =>
      commitMutation(environment, { mutation: compiled("deskApproveMutation"), variables, onCompleted, onError }),
    );
  const variables = { input: { assessment: mine.id } };
  const { approveAssessment } = await approve(variables);
  const twice = await approve(variables);
  const history = await ask("deskHistoryPageQuery", { id: mine.creditFile.id, count: 1 });
  const card = await ask("deskCardQuery", { id: mine.id });
  return {
    grade: mine.grade,
    grades: [before, grade()],
    sent: sent.slice(requests),
    entry: approveAssessment.auditEntry,
    refused: twice.approveAssessment.errors.map(({ deskTold_error }) => read("deskTold_error", deskTold_error).code),
    phone: read("deskConfidential_file", page.node.deskConfidential_file).confidential.phone,
    history: read("deskHistory_file", history.node).assessments.edges.length,
    state: read("deskCard_assessment", card.node).state,
  };
}

const trusted = await trust();
const { root, sizes } = await listed();
print({ trusted, sizes, rows: rows(root).length, decided: await decided(root) });
