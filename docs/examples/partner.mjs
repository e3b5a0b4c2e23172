// A partner's program for Node 20 or newer, without any package: it proves its key with every request.
//
//     node partner.mjs https://credit.example/graphql key.json token.txt DOCUMENT cf_…
//
// key.json is the partner's private P-256 key as a JWK, token.txt an access token that an issuer bound to it, DOCUMENT
// the SHA-256 of a document that the company approved.
import { readFileSync } from "node:fs";

const encoded = (bytes) => Buffer.from(bytes).toString("base64url");
const part = (value) => encoded(JSON.stringify(value));

const [url, keyFile, tokenFile, document, creditFile] = process.argv.slice(2);
const { d, ...publicKey } = JSON.parse(readFileSync(keyFile, "utf8"));
const token = readFileSync(tokenFile, "utf8").trim();
const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const signing = await crypto.subtle.importKey("jwk", { ...publicKey, d }, algorithm, false, ["sign"]);

/** A proof for one request (RFC 9449): it names method, address, moment, token and nonce, and is never used twice. */
async function proof(nonce) {
  const ath = encoded(await crypto.subtle.digest("SHA-256", Buffer.from(token)));
  const iat = Math.floor(Date.now() / 1000);
  const claims = { htm: "POST", htu: url, iat, jti: crypto.randomUUID(), ath, nonce };
  const text = `${part({ typ: "dpop+jwt", alg: "ES256", jwk: publicKey })}.${part(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signing, Buffer.from(text));
  return `${text}.${encoded(signature)}`;
}

async function send(body, nonce) {
  const headers = { authorization: `DPoP ${token}`, dpop: await proof(nonce), "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

const asked = { documentId: `sha256:${document.replace("sha256:", "")}`, variables: { id: creditFile } };
let answer = await send(asked);
if (answer.status === 401 && answer.headers.get("www-authenticate")?.includes("use_dpop_nonce")) {
  answer = await send(asked, answer.headers.get("dpop-nonce"));
}
if (answer.status === 401) {
  console.error(`Not let in: ${answer.headers.get("www-authenticate")}. Get a new token, or ask the company.`);
  process.exit(1);
}
console.log(await answer.text());
