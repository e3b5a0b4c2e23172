// Runs the published audits of GraphQL over HTTP against one server, and prints how each ended.
import { serverAudits } from "graphql-http";
import { print, told } from "./front.mjs";

const { url, token } = told;
const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...(init.headers ?? {}), authorization: `Bearer ${token}` } });
const found = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { status, reason } = await audit.fn();
  found.push({ id: audit.id, name: audit.name, status, reason: reason ?? "" });
}
print(found);
