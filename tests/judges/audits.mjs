// Runs the published audits of GraphQL over HTTP against one server, and prints how each ended.
// node audits.mjs URL TOKEN, in the folder where the audits are installed.
import { serverAudits } from "graphql-http";

const [url, token] = process.argv.slice(2);
const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...(init.headers ?? {}), authorization: `Bearer ${token}` } });
const found = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { status, reason } = await audit.fn();
  found.push({ id: audit.id, name: audit.name, status, reason: reason ?? "" });
}
console.log(JSON.stringify(found));
