// Whether a credit statement is to be believed, judged in this page alone: WebCrypto, no network, nothing kept.
// It follows the same steps, in the same order and with the same reasons, as `credence statement verify`.

export const TYPE = "dc+sd-jwt";
export const VCT = "urn:credence:credit-statement:1";
const LEEWAY = 60;
const MAX_BYTES = 256 * 1024;
const MAX_DISCLOSURES = 256;
const MAX_DEPTH = 16;
const MAX_LIST_BYTES = 4 * 1024 * 1024;
const MEMBERS = new Set(["alg", "typ", "kid"]);
const DIGEST_NAMES = new Set(["_sd", "...", "_sd_alg"]);
const SIGNED_ALONE = new Set(["iss", "vct", "iat", "nbf", "exp", "cnf", "status", "sub"]);
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

export class Untrue extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const refuse = (reason) => { throw new Untrue(reason); };
const bytes = (text) => new TextEncoder().encode(text);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const own = (value, name) => Object.prototype.hasOwnProperty.call(value, name);

function encode(raw) {
  let text = "";
  for (const byte of raw) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function decode(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) refuse("MALFORMED");
  const raw = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  if (encode(raw) !== text) refuse("MALFORMED");
  return raw;
}

function read(raw) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw));
  } catch {
    return refuse("MALFORMED");
  }
}

const digest = async (text) => encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));

function parse(text) {
  if (text.length > MAX_BYTES) refuse("TOO_LARGE");
  const segments = text.split(".");
  if (segments.length !== 3) refuse("MALFORMED");
  const [header, claims] = [read(decode(segments[0])), read(decode(segments[1]))];
  const signature = decode(segments[2]);
  if (!isObject(header) || !isObject(claims)) refuse("MALFORMED");
  if (header.alg !== "ES256") refuse("WRONG_ALGORITHM");
  if (Object.keys(header).some((name) => !MEMBERS.has(name))) refuse("MALFORMED");
  return { header, claims, signature, signed: bytes(`${segments[0]}.${segments[1]}`) };
}

async function publicKey(jwk) {
  if (!isObject(jwk) || jwk.kty !== "EC" || jwk.crv !== "P-256" || own(jwk, "d")) refuse("UNUSABLE_KEY");
  try {
    const bare = { kty: "EC", crv: "P-256", x: jwk.x, y: jwk.y };
    return await crypto.subtle.importKey("jwk", bare, CURVE, false, ["verify"]);
  } catch {
    return refuse("UNUSABLE_KEY");
  }
}

const verifies = (one, key) => crypto.subtle.verify(SIGNATURE, key, one.signature, one.signed);

// What a key file says: the whole of credence-keys.json, or its part about statements alone.
export async function trustedKeys(told) {
  const found = isObject(told) ? (own(told, "statements") ? told.statements : told) : null;
  const listed = isObject(found) && isObject(found.jwks) ? found.jwks.keys : null;
  if (!Array.isArray(listed) || listed.length === 0 || typeof found.issuer !== "string") refuse("UNUSABLE_KEY");
  const apart = isObject(found.compromised) ? found.compromised.keys : [];
  if (!Array.isArray(apart)) refuse("UNUSABLE_KEY");
  const keys = new Map();
  const ends = new Map();
  for (const jwk of [...listed, ...apart]) {
    const named = isObject(jwk) && typeof jwk.kid === "string" && jwk.kid !== "" && !keys.has(jwk.kid);
    if (!named || (jwk.alg ?? "ES256") !== "ES256" || (jwk.use ?? "sig") !== "sig") refuse("UNUSABLE_KEY");
    keys.set(jwk.kid, await publicKey(jwk));
    if (!own(jwk, "exp") && !apart.includes(jwk)) continue;
    if (!Number.isInteger(jwk.exp)) refuse("UNUSABLE_KEY");
    ends.set(jwk.kid, jwk.exp);
  }
  return { issuer: found.issuer, keys, counts: (kid, signedAt) => !ends.has(kid) || signedAt <= ends.get(kid) };
}

function compact(text) {
  const [signed, ...rest] = text.split("~");
  if (rest.length === 0) refuse("MALFORMED");
  const binding = rest.pop();
  if (rest.length > MAX_DISCLOSURES) refuse("TOO_LARGE");
  return { signed, disclosures: rest, binding, presented: `${[signed, ...rest].join("~")}~` };
}

function parts(text) {
  let found = null;
  try {
    found = read(decode(text));
  } catch {
    refuse("MALFORMED_DISCLOSURE");
  }
  if (!Array.isArray(found) || (found.length !== 2 && found.length !== 3)) refuse("MALFORMED_DISCLOSURE");
  if (!found.slice(0, -1).every((part) => typeof part === "string")) refuse("MALFORMED_DISCLOSURE");
  return found;
}

// RFC 9901, 7.1: each digest is met once, each disclosure is declared, and no name is taken twice.
async function shown(claims, disclosures) {
  if ((claims._sd_alg ?? "sha-256") !== "sha-256") refuse("UNKNOWN_DIGEST_ALGORITHM");
  const found = new Map();
  for (const text of disclosures) found.set(await digest(text), parts(text));
  if (found.size !== disclosures.length) refuse("DOUBLE_DIGEST");
  const met = new Set();
  const used = new Set();
  const disclosed = (one, length) => {
    if (typeof one !== "string") refuse("MALFORMED");
    if (met.has(one)) refuse("DOUBLE_DIGEST");
    met.add(one);
    if (!found.has(one)) return null;
    if (found.get(one).length !== length) refuse("MALFORMED_DISCLOSURE");
    used.add(one);
    return found.get(one);
  };
  const value = (one, depth) => {
    if (Array.isArray(one)) return items(one, depth + 1);
    return isObject(one) ? members(one, depth + 1) : one;
  };
  const items = (list, depth) => {
    if (depth > MAX_DEPTH) refuse("MALFORMED");
    const made = [];
    for (const item of list) {
      if (!(isObject(item) && Object.keys(item).length === 1 && own(item, "..."))) {
        made.push(value(item, depth));
        continue;
      }
      const part = disclosed(item["..."], 2);
      if (part !== null) made.push(value(part[1], depth));
    }
    return made;
  };
  const members = (object, depth) => {
    if (depth > MAX_DEPTH || own(object, "...")) refuse("MALFORMED");
    const made = new Map();
    for (const [name, one] of Object.entries(object)) if (name !== "_sd") made.set(name, value(one, depth));
    const digests = own(object, "_sd") ? object._sd : [];
    if (!Array.isArray(digests)) refuse("MALFORMED");
    for (const one of digests) {
      const part = disclosed(one, 3);
      if (part === null) continue;
      if (DIGEST_NAMES.has(part[1]) || (depth === 0 && SIGNED_ALONE.has(part[1]))) refuse("FORBIDDEN_CLAIM");
      if (made.has(part[1])) refuse("DOUBLE_CLAIM");
      made.set(part[1], value(part[2], depth));
    }
    if (depth === 0) made.delete("_sd_alg");
    return Object.fromEntries(made);
  };
  const whole = members(claims, 0);
  if (used.size !== found.size) refuse("UNDECLARED_DISCLOSURE");
  return whole;
}

function member(value, ...names) {
  return names.reduce((found, name) => (isObject(found) && own(found, name) ? found[name] : refuse("MISSING_CLAIM")), value);
}

function number(claims, name) {
  const value = member(claims, name);
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 36) refuse("MALFORMED");
  return value;
}

function words(claims, name) {
  const value = member(claims, name);
  if (typeof value !== "string") refuse("MALFORMED");
  return value;
}

async function bound(whole, holder, issued, now, expected) {
  const { audience, nonce } = expected;
  if (whole.binding === "") {
    if (audience !== null || nonce !== null) refuse("HOLDER_NOT_PROVEN");
    return null;
  }
  const one = parse(whole.binding);
  if (one.header.typ !== "kb+jwt" || !(await verifies(one, holder))) refuse("BAD_HOLDER_SIGNATURE");
  if (words(one.claims, "sd_hash") !== (await digest(whole.presented))) refuse("OTHER_DISCLOSURES");
  const told = { audience: words(one.claims, "aud"), nonce: words(one.claims, "nonce"), at: number(one.claims, "iat") };
  if (audience !== null && told.audience !== audience) refuse("WRONG_AUDIENCE");
  if (nonce !== null && told.nonce !== nonce) refuse("WRONG_NONCE");
  if (told.at < issued - LEEWAY || told.at > now + LEEWAY) refuse("WRONG_PRESENTATION_TIME");
  return told;
}

async function unpacked(raw) {
  try {
    const reader = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    const chunks = [];
    let size = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      size += step.value.length;
      if (size > MAX_LIST_BYTES) {
        await reader.cancel();
        refuse("BAD_STATUS_LIST");
      }
      chunks.push(step.value);
    }
    const whole = new Uint8Array(size);
    let place = 0;
    for (const chunk of chunks) {
      whole.set(chunk, place);
      place += chunk.length;
    }
    return whole;
  } catch {
    return refuse("BAD_STATUS_LIST");
  }
}

async function statusOf(text, trusted, uri, index, now) {
  let one = null;
  try {
    one = parse(text.trim());
  } catch {
    refuse("BAD_STATUS_LIST");
  }
  const kid = String(one.header.kid);
  const key = trusted.keys.get(kid);
  if (one.header.typ !== "statuslist+jwt" || !key || !(await verifies(one, key))) refuse("BAD_STATUS_LIST");
  if (one.claims.sub !== uri) refuse("OTHER_STATUS_LIST");
  const { iat, exp, status_list: listed } = one.claims;
  if (!Number.isInteger(iat) || !Number.isInteger(exp) || iat > now + LEEWAY) refuse("BAD_STATUS_LIST");
  if (!trusted.counts(kid, iat)) refuse("BAD_STATUS_LIST");
  if (exp <= now) refuse("STATUS_LIST_EXPIRED");
  if (!isObject(listed) || ![1, 2, 4, 8].includes(listed.bits) || typeof listed.lst !== "string") refuse("BAD_STATUS_LIST");
  let packed = null;
  try {
    packed = decode(listed.lst);
  } catch {
    refuse("BAD_STATUS_LIST");
  }
  const list = await unpacked(packed);
  const place = Math.floor((index * listed.bits) / 8);
  if (place >= list.length) refuse("NOT_IN_STATUS_LIST");
  return { value: (list[place] >> ((index * listed.bits) % 8)) & (2 ** listed.bits - 1), at: iat };
}

async function judged(text, trusted, now, status, expected) {
  if (/[^\x00-\x7f]/.test(text)) refuse("MALFORMED");
  const whole = compact(text);
  const one = parse(whole.signed);
  const { claims } = one;
  if (one.header.typ !== TYPE || claims.vct !== VCT) refuse("WRONG_TYPE");
  if (claims.iss !== trusted.issuer) refuse("UNKNOWN_ISSUER");
  const key = trusted.keys.get(String(one.header.kid));
  if (!key) refuse("UNKNOWN_KEY");
  if (!(await verifies(one, key))) refuse("BAD_SIGNATURE");
  const [issued, expires] = [number(claims, "iat"), number(claims, "exp")];
  if (!trusted.counts(String(one.header.kid), issued)) refuse("KEY_ENDED");
  const disclosed = await shown(claims, whole.disclosures);
  const begins = own(claims, "nbf") ? number(claims, "nbf") : issued;
  if (Math.max(issued, begins) > now + LEEWAY) refuse("NOT_YET_VALID");
  if (expires <= now) refuse("EXPIRED");
  const holder = await publicKey(member(claims, "cnf", "jwk"));
  const presented = await bound(whole, holder, issued, now, expected);
  const entry = member(claims, "status", "status_list");
  const [uri, index] = [words(entry, "uri"), number(entry, "idx")];
  let statusAt = null;
  if (status !== null) {
    const found = await statusOf(status, trusted, uri, index, now);
    if (found.value !== 0) refuse("REVOKED");
    statusAt = found.at;
  }
  const told = Object.fromEntries(Object.entries(disclosed).filter(([name]) => !SIGNED_ALONE.has(name)));
  return { ok: true, reason: null, issuer: trusted.issuer, claims: told, issued, expires, presented, list: uri, statusAt };
}

// The verdict on a statement; times are seconds since 1970. Of one that is not believed, nothing but the reason is told.
export async function verify(text, told, { now, status = null, audience = null, nonce = null }) {
  try {
    return await judged(text.trim(), await trustedKeys(told), now, status, { audience, nonce });
  } catch (error) {
    if (error instanceof Untrue) return { ok: false, reason: error.reason };
    throw error;
  }
}
