// Asks a running demo through urql, without a framework, and prints what it saw.
import { Client, cacheExchange as byDocument, fetchExchange, gql } from "@urql/core";
import { cacheExchange as byRecord } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { persistedExchange } from "@urql/exchange-persisted";
import { introspectionFromSchema, isObjectType } from "graphql";
import { operations, print, proving, schema, told, watched } from "./front.mjs";

const { url, tokens, partner } = told.demo;
// What has no id is kept inside the record that holds it.
const inside = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.getFields().id);
const records = () =>
  byRecord({
    schema: introspectionFromSchema(schema),
    keys: Object.fromEntries(inside.map(({ name }) => [name, () => null])),
    resolvers: { Query: { creditFiles: relayPagination() } },
  });

function client(role, ...exchanges) {
  const sent = [];
  const asks = new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${tokens[role]}` } },
    fetch: watched(sent, role === "partner_client" ? proving(partner.key, tokens.partner_client) : fetch),
    exchanges: [...exchanges, fetchExchange],
  });
  return Object.assign(asks, { sent });
}

const codes = ({ error }) => error.graphQLErrors.map((one) => one.extensions.code);

async function byDocuments() {
  const desk = client("credit_manager", byDocument);
  const asking = { id: partner.creditFile, purpose: "CREDIT_REVIEW" };
  const opened = await desk.query(operations.CreditFilePage, asking);
  const again = await desk.query(operations.CreditFilePage, asking);
  const requests = desk.sent.length;
  const nobody = new Client({ url: `${url}/graphql`, preferGetMethod: false, exchanges: [fetchExchange] });
  return {
    name: opened.data.creditFile.name,
    same: JSON.stringify(opened.data) === JSON.stringify(again.data),
    requests,
    accept: desk.sent[0].accept,
    notGranted: codes(await client("sales", byDocument).query(operations.CreditFilePage, asking)),
    unknown: codes(await desk.query(gql`query Unknown { creditFiles { nothing } }`, {})),
    nobody: codes(await nobody.query(operations.CreditFileList, {})),
  };
}

async function byRecords() {
  const desk = client("credit_manager", records());
  const sizes = [];
  let after;
  do {
    const { data } = await desk.query(operations.CreditFileList, { first: 10, after });
    sizes.push(data.creditFiles.edges.length);
    after = data.creditFiles.pageInfo.hasNextPage ? data.creditFiles.pageInfo.endCursor : undefined;
  } while (after);
  const { data } = await desk.query(operations.WaitingAssessments, {});
  const mine = data.assessments.nodes.find((one) => one.approverLevel === "MANAGER");
  const grades = [];
  const watching = desk
    .query(operations.CreditFilePage, { id: mine.creditFile.id, purpose: "CREDIT_REVIEW" })
    .subscribe((answer) => answer.data && grades.push(answer.data.creditFile.grade));
  await desk.query(operations.CreditFilePage, { id: mine.creditFile.id, purpose: "CREDIT_REVIEW" });
  const requests = desk.sent.length;
  const input = { assessment: mine.id };
  const approved = await desk.mutation(operations.ApproveAssessment, { input });
  await new Promise((go) => setTimeout(go));
  watching.unsubscribe();
  const twice = await desk.mutation(operations.ApproveAssessment, { input });
  return {
    sizes,
    waiting: mine.grade,
    grades,
    state: approved.data.approveAssessment.assessment.state,
    sentForIt: desk.sent.slice(requests).map(({ body }) => body.operationName),
    twice: twice.data.approveAssessment.errors,
  };
}

async function trusted() {
  const known = partner.documents["what was disclosed to us"].replace("sha256:", "");
  const persisted = persistedExchange({
    enforcePersistedQueries: true,
    preferGetForPersistedQueries: false,
    generateHash: async () => known,
  });
  const bank = client("partner_client", persisted);
  const answered = await bank.query("query ($first: Int = 20) { disclosures(first: $first) { nodes { id } } }", {});
  return {
    sent: bank.sent.map(({ body }) => Object.keys(body).sort()),
    disclosures: answered.data.disclosures.nodes,
    other: codes(await client("partner_client").query(operations.DisclosedToUs, {})),
  };
}

print({ byDocuments: await byDocuments(), byRecords: await byRecords(), trusted: await trusted() });
