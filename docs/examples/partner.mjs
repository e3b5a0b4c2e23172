// A partner's program for Node 20 or newer, without any package: it asks for what a customer agreed to, unseals it, and
// proves it to whom it may, offline.
//
//     node partner.mjs keys FOLDER                          makes the partner's keys; the company registers what it prints
//     node partner.mjs prove FOLDER COMPANY pa_… CHALLENGE  shows the company that it holds the key it unseals with
//     node partner.mjs register FOLDER ISSUER               registers the program at an OpenID provider that lets it
//     node partner.mjs ask FOLDER URL COMPANY DOCUMENT cf_… asks, unseals, verifies, and keeps the receipt in FOLDER
//     node partner.mjs verify FOLDER di_….json              verifies a kept receipt: no network, no account
//
// The files of FOLDER are those of partner.py, which says what each of them is.
import { createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { generateKeyPairSync, randomUUID, sign, verify as verifies } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const write = (path, value) => writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const hmac = (key, bytes) => createHmac("sha256", key).update(bytes).digest();
const big = (number, bytes) => Buffer.from(BigInt(number).toString(16).padStart(2 * bytes, "0"), "hex");
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const publicPart = ({ kty, crv, x, y }) => ({ kty, crv, x, ...(y && { y }) });

const must = (holds, otherwise) => {
  if (!holds) throw new Error(`This is not proven: ${otherwise}.`);
};

/** The parts in one string that no other parts give. */
const pae = (...parts) => Buffer.concat([big(parts.length, 4), ...parts.flatMap((one) => [big(one.length, 4), one])]);

/** The 16 bytes of an id: 26 characters of Crockford's base 32 behind its prefix. */
const raw = (id) =>
  big([...id.split("_")[1]].reduce((number, one) => (number << 5n) | BigInt(ALPHABET.indexOf(one)), 0n), 16);

function jwt(header, claims, jwk) {
  const text = `${part({ alg: "ES256", ...header })}.${part(claims)}`;
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const nonces = {};

/** Sends a request with a new proof of the partner's key (RFC 9449); where a nonce is wanted, anew with it. */
async function post(key, url, body, form, token = "") {
  let answer, told;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const claims = { htm: "POST", htu: url, iat: Math.floor(Date.now() / 1000), jti: randomUUID(), nonce: nonces[url] };
    if (token) claims.ath = sha256(token).toString("base64url");
    const headers = { dpop: jwt({ typ: "dpop+jwt", jwk: publicPart(key) }, claims, key), "content-type": form };
    if (token) headers.authorization = `DPoP ${token}`;
    answer = await fetch(url, { method: "POST", headers, body: body() });
    told = await answer.json();
    nonces[url] = answer.headers.get("dpop-nonce") ?? nonces[url];
    const wants = answer.headers.get("www-authenticate")?.includes("use_dpop_nonce") || told.error === "use_dpop_nonce";
    if (!wants) break;
  }
  if (!answer.ok) {
    const why = answer.headers.get("www-authenticate") ?? JSON.stringify(told);
    throw new Error(`Not let in: ${why}. Get a new token, or ask the company.`);
  }
  return told;
}

/** Makes the keys that are not there yet; prints their public parts by their use, for the company to register. */
function keys(folder) {
  const told = {};
  for (const [use, name] of [["DPOP", "partner-key.json"], ["CLIENT", "client-key.json"], ["ENC", "seal-key.json"]]) {
    const path = join(folder, name);
    if (!existsSync(path)) {
      const pair = use === "ENC" ? generateKeyPairSync("x25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
      write(path, pair.privateKey.export({ format: "jwk" }));
    }
    told[use] = publicPart(read(path));
  }
  console.log(JSON.stringify(told));
}

/** Registers this program at an issuer (RFC 7591): it says who it is by signing with its key, and has no password. */
async function register(folder, issuer) {
  const found = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const key = publicPart(read(join(folder, "client-key.json")));
  const asked = {
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    id_token_signed_response_alg: "ES256",
    jwks: { keys: [{ ...key, use: "sig", alg: "ES256" }] },
  };
  const headers = { "content-type": "application/json" };
  const sent = { method: "POST", headers, body: JSON.stringify(asked) };
  const { client_id } = await (await fetch(found.registration_endpoint, sent)).json();
  write(join(folder, "client.json"), { client_id, issuer: found.issuer, token_endpoint: found.token_endpoint });
}

/** The token at hand, or a new one: the program signs with its own key, and proves the key the token is bound to. */
async function tokenOf(folder, key) {
  const kept = join(folder, "token.txt");
  if (existsSync(kept)) return readFileSync(kept, "utf8").trim();
  const { client_id: own, issuer, token_endpoint: url } = read(join(folder, "client.json"));
  const body = () => {
    const iat = Math.floor(Date.now() / 1000);
    const said = { iss: own, sub: own, aud: issuer, iat, exp: iat + 60, jti: randomUUID() }; // good once
    const signed = jwt({}, said, read(join(folder, "client-key.json")));
    const form = { grant_type: "client_credentials", client_assertion_type: ASSERTION, client_assertion: signed };
    return new URLSearchParams(form).toString();
  };
  return (await post(key, url, body, "application/x-www-form-urlencoded")).access_token;
}

/** Asks for one file and prints what it got; a sealed answer is verified first, and kept with its proofs. */
async function ask(folder, url, company, document, creditFile) {
  const key = read(join(folder, "partner-key.json"));
  const pinned = join(folder, "company-keys.json");
  if (!existsSync(pinned)) {
    const address = `${url.replace(/\/graphql$/, "")}/.well-known/credence-keys.json?company=${company}`;
    write(pinned, await (await fetch(address)).json());
  }
  const asked = { documentId: `sha256:${document.replace("sha256:", "")}`, variables: { id: creditFile } };
  const answer = await post(key, url, () => JSON.stringify(asked), "application/json", await tokenOf(folder, key));
  const got = answer.data?.requestDisclosure;
  if (got?.sealed) {
    const receipt = { sealed: got.sealed, sealedTo: got.sealedTo, proofs: got.proofs };
    write(join(folder, `${got.disclosure.id}.json`), receipt);
    answer.verified = verified(folder, receipt);
  }
  console.log(JSON.stringify(answer));
}

/** What a kept receipt says, once everything about it is proven with the keys of the company alone. */
function verified(folder, receipt) {
  const company = read(join(folder, "company-keys.json"));
  const [disclosed, handed] = receipt.proofs.map((proof) => proven(proof, company.logs));
  const claims = signedBy(unseal(folder, receipt, disclosed, company), company.statements);
  const { aud, consent, data, delete_by, entry, iss, jti, leaf, obligations, purpose, sub } = claims;
  must(entry === disclosed.id && leaf === receipt.proofs[0].leaf, "another entry");
  must(iss.endsWith(`/${disclosed.tenant}`), "the entry of another company");
  must(aud === disclosed.behalf && aud === handed.behalf, "a disclosure to another partner");
  must(consent === disclosed.consent && consent === handed.consent, "another consent than the log has");
  must(purpose === disclosed.purpose, "another purpose than the log has");
  must(disclosed.resources.includes(jti) && handed.resources.includes(jti), "another disclosure");
  must(Object.keys(data).every((tag) => disclosed.fields.includes(tag)), "more fields than the log has");
  must(disclosed.action === "disclosure:request" && disclosed.outcome === "DONE", "no disclosure");
  must(handed.action === "disclosure:hand_over" && handed.outcome === "DONE", "nothing handed over");
  must(handed.digest === sha256(receipt.sealed).toString("hex"), "other bytes than handed over");
  return { jti, sub, consent, purpose, data, obligations, delete_by };
}

/** HKDF of HPKE (RFC 9180): everything is labelled with the version and the suite. */
const extract = (suite, salt, label, input) => hmac(salt, Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), input]));
function expand(suite, key, label, info, length) {
  const labelled = Buffer.concat([big(length, 2), Buffer.from("HPKE-v1"), suite, Buffer.from(label), info]);
  return hmac(key, Buffer.concat([labelled, Buffer.from([1])])).subarray(0, length);
}

/** What is inside, opened with the partner's key (RFC 9180, base mode); it opens only as what it is about. */
function unseal(folder, receipt, entry, company) {
  const jwk = read(join(folder, "seal-key.json"));
  const [consent, version] = entry.consent.split("/");
  const disclosure = entry.resources.find((one) => one.startsWith("di_"));
  const tenant = company.statements.issuer.split("/").pop();
  const about = [raw(tenant), raw(entry.behalf), Buffer.from(receipt.sealedTo), raw(consent), big(version, 4), raw(disclosure)];
  return opened(jwk, receipt.sealed, pae(Buffer.from("vault/disclosure/1"), ...about));
}

/** Prints what a challenge says, which only the holder of the key can read: the company asks before it uses it. */
function prove(folder, company, partner, challenge) {
  const jwk = read(join(folder, "seal-key.json"));
  const thumbprint = sha256(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x })).toString("base64url");
  const about = pae(Buffer.from("vault/possession/1"), raw(company), raw(partner), Buffer.from(thumbprint));
  console.log(JSON.stringify(opened(jwk, challenge, about)));
}

/** What was sealed to a key with HPKE, X25519, for one purpose. */
function opened(jwk, base64, info) {
  const sealed = Buffer.from(base64, "base64url");
  const [encapsulated, text, tag] = [sealed.subarray(0, 32), sealed.subarray(32, -16), sealed.subarray(-16)];
  const theirs = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: encapsulated.toString("base64url") }, format: "jwk" });
  const shared = diffieHellman({ privateKey: createPrivateKey({ key: jwk, format: "jwk" }), publicKey: theirs });
  const none = Buffer.alloc(0);
  const kem = Buffer.concat([Buffer.from("KEM"), big(0x20, 2)]);
  const context = Buffer.concat([encapsulated, Buffer.from(jwk.x, "base64url")]);
  const secret = expand(kem, extract(kem, none, "eae_prk", shared), "shared_secret", context, 32);
  const suite = Buffer.concat([Buffer.from("HPKE"), big(0x20, 2), big(1, 2), big(2, 2)]);
  const schedule = [big(0, 1), extract(suite, none, "psk_id_hash", none), extract(suite, none, "info_hash", info)];
  const prk = extract(suite, secret, "secret", none);
  const key = expand(suite, prk, "key", Buffer.concat(schedule), 32);
  const nonce = expand(suite, prk, "base_nonce", Buffer.concat(schedule), 12);
  const cipher = createDecipheriv("aes-256-gcm", key, nonce).setAuthTag(tag);
  return Buffer.concat([cipher.update(text), cipher.final()]).toString();
}

/** What a disclosure says, where the company signed it. */
function signedBy(text, statements) {
  const [header, claims, signature] = text.split(".");
  const { alg, kid, typ } = JSON.parse(Buffer.from(header, "base64url"));
  const jwk = statements.jwks.keys.find((one) => one.kid === kid);
  must(alg === "ES256" && typ === "disclosure+jwt" && jwk, "no disclosure of this company");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const signed = Buffer.from(`${header}.${claims}`);
  const good = verifies("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  must(good, "something the company did not sign");
  const said = JSON.parse(Buffer.from(claims, "base64url"));
  must(said.iss === statements.issuer, "a disclosure of another company");
  return said;
}

/** An audit entry that its proof shows in the log of the company: leaf to root (RFC 6962), root to signature. */
function proven({ entry, leaf, proof }, logs) {
  const cut = proof.indexOf("\n\n");
  const [first, place, ...path] = proof.slice(0, cut).split("\n");
  must(first === "c2sp.org/tlog-proof@v1" && place.startsWith("index "), "no proof");
  const [text, signatures] = proof.slice(cut + 2).split("\n\n");
  const [origin, size, root] = text.split("\n");
  must(logs.some((log) => signs(log, origin, `${text}\n`, signatures)), "a checkpoint the log did not sign");
  let node = sha256(Buffer.concat([big(0, 1), Buffer.from(leaf)]));
  let [here, last] = [BigInt(place.slice(6)), BigInt(size) - 1n];
  must(here >= 0n && here <= last, "no place in this log");
  for (const line of path) {
    const sibling = Buffer.from(line, "base64");
    must(last > 0n, "a path that is too long");
    const left = here & 1n || here === last;
    node = sha256(Buffer.concat([big(1, 1), ...(left ? [sibling, node] : [node, sibling])]));
    while (left && here && !(here & 1n)) [here, last] = [here >> 1n, last >> 1n];
    [here, last] = [here >> 1n, last >> 1n];
  }
  must(last === 0n && node.toString("base64") === root, "a path that does not lead to the root");
  const said = JSON.parse(leaf);
  must(said.id === entry, "the proof of another entry");
  return said;
}

/** Whether the key of a log, `name+id+base64`, made one of the signatures of a note (C2SP signed-note). */
function signs(log, origin, text, signatures) {
  const [name, id] = log.split("+", 2);
  const x = Buffer.from(log.slice(name.length + id.length + 2), "base64").subarray(1).toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return signatures.split("\n").some((line) => {
    const [, signer, value] = line.split(" ");
    const made = Buffer.from(value ?? "", "base64");
    const own = signer === name && name === origin && made.subarray(0, 4).toString("hex") === id;
    return own && verifies(null, Buffer.from(text), key, made.subarray(4));
  });
}

const verify = (folder, path) => console.log(JSON.stringify(verified(folder, read(path))));

const [word, ...more] = process.argv.slice(2);
try {
  await { keys, prove, register, ask, verify }[word](...more);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
