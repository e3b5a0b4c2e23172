// Asks a running demo through Apollo Client as a front end without a framework would, and prints what it saw.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { filter, firstValueFrom } from "rxjs";
import { print as text, relayStylePagination } from "@apollo/client/utilities";
import { operations, possibleTypes, print, proving, told, watched } from "./front.mjs";

const { url, tokens, partner } = told.demo;
const lists = ["creditFiles", "auditEntries"].map((name) => [name, relayStylePagination(["filter", "orderBy"])]);

function client(role, before = ApolloLink.empty(), token = tokens[role]) {
  const sent = [];
  const http = new HttpLink({ uri: `${url}/graphql`, headers: { authorization: `Bearer ${token}` }, fetch: fetching(role, sent) });
  const cache = new InMemoryCache({
    possibleTypes: possibleTypes(),
    typePolicies: { Query: { fields: Object.fromEntries(lists) } },
  });
  const link = before instanceof PersistedQueryLink ? before.concat(http) : http;
  return Object.assign(new ApolloClient({ link, cache, dataMasking: false }), { sent });
}

const fetching = (role, sent) =>
  watched(sent, role === "partner_client" ? proving(partner.key, tokens.partner_client) : fetch);

const codes = async (asked) => {
  try {
    await asked;
    return [];
  } catch (error) {
    return CombinedGraphQLErrors.is(error) ? error.errors.map((one) => one.extensions.code) : [String(error)];
  }
};

/** The first answer of a watched query. */
const first = (watching) => firstValueFrom(watching.pipe(filter(({ loading }) => !loading)));

async function paged() {
  const desk = client("credit_manager");
  const asking = { query: operations.CreditFileList, variables: { first: 10 } };
  const list = desk.watchQuery(asking);
  const sizes = [];
  let { data } = await first(list);
  for (;;) {
    sizes.push(desk.readQuery(asking).creditFiles.edges.length);
    const { endCursor, hasNextPage } = data.creditFiles.pageInfo;
    if (!hasNextPage) break;
    ({ data } = await list.fetchMore({ variables: { after: endCursor } }));
  }
  const asked = desk.sent.length;
  const again = await desk.query(asking);
  const kept = Object.keys(desk.cache.extract()).filter((id) => id.startsWith("CreditFile:cf_"));
  return {
    sizes,
    total: data.creditFiles.totalCount,
    edges: again.data.creditFiles.edges.length,
    entities: kept.length,
    requests: asked,
    requestsAfterReadingAgain: desk.sent.length,
    accept: desk.sent[0].accept,
  };
}

async function decided() {
  const desk = client("credit_manager");
  const waiting = await desk.query({ query: operations.WaitingAssessments });
  const mine = waiting.data.assessments.nodes.find((one) => one.approverLevel === "MANAGER");
  const page = desk.watchQuery({
    query: operations.CreditFilePage,
    variables: { id: mine.creditFile.id, purpose: "CREDIT_REVIEW" },
  });
  const grades = [];
  page.subscribe({ next: ({ data }) => data && grades.push(data.creditFile.grade) });
  const opened = await first(page);
  const requests = desk.sent.length;
  const variables = { input: { assessment: mine.id } };
  const approved = await desk.mutate({ mutation: operations.ApproveAssessment, variables });
  const node = await desk.query({ query: operations.OpenedRecord, variables: { id: mine.id } });
  const twice = await desk.mutate({ mutation: operations.ApproveAssessment, variables });
  return {
    waiting: mine,
    confidential: opened.data.creditFile.confidential,
    payload: approved.data.approveAssessment,
    grades,
    sentForIt: desk.sent.slice(requests).map(({ body }) => body.operationName),
    node: node.data.node,
    twice: twice.data.approveAssessment.errors,
  };
}

async function refused() {
  const nobody = client("sales", undefined, "no.such.token");
  const desk = client("credit_manager");
  const asked = {
    query: operations.CreditFilePage,
    variables: { id: partner.creditFile, purpose: "CREDIT_REVIEW" },
    errorPolicy: "all",
  };
  const whole = await client("sales").query(asked);
  const some = await client("ar_finance").query(asked);
  return {
    notGranted: { data: whole.data, error: whole.error.errors[0].extensions.code, path: whole.error.errors[0].path },
    withheld: some.data.creditFile.confidential.withheld.map(({ field, reason }) => [field, reason]),
    nobody: await codes(nobody.query({ query: operations.CreditFileList })),
    status: nobody.sent.map(({ status }) => status),
    unknown: await codes(desk.query({ query: gql`query Unknown { creditFiles { nothing } }` })),
    unfit: await codes(desk.query({ query: operations.CreditFileList, variables: { first: 101 } })),
  };
}

async function trusted() {
  const sha256 = (words) => createHash("sha256").update(words).digest("hex");
  const bank = client("partner_client", new PersistedQueryLink({ sha256 }));
  const before = await codes(bank.query({ query: operations.DisclosedToUs }));
  const manager = client("credit_manager");
  // Registered as the client sends it: with __typename in it.
  const words = text(manager.documentTransform.transformDocument(operations.DisclosedToUs));
  const proposed = await manager.mutate({
    mutation: operations.ProposeTrustedDocument,
    variables: { input: { name: "of Apollo", text: words, purpose: "PARTNER_CREDIT_DECISION" } },
  });
  const { trustedDocument } = proposed.data.proposeTrustedDocument;
  await client("privacy_officer").mutate({
    mutation: operations.ApproveTrustedDocument,
    variables: { input: { document: trustedDocument.id } },
  });
  const answered = await bank.query({ query: operations.DisclosedToUs });
  return { before, sent: bank.sent.map(({ body }) => Object.keys(body).sort()), answered: answered.data.disclosures };
}

print({ paged: await paged(), decided: await decided(), refused: await refused(), trusted: await trusted() });
