// What each judge of a client needs: what it was told, and the documents of a front end by the names of their operations.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema, concatAST, isAbstractType, parse, separateOperations } from "graphql";

export const told = JSON.parse(readFileSync(0, "utf8"));

const read = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => parse(readFileSync(join(folder, name), "utf8"), { noLocation: true }));

/** Each operation with the fragments it uses, as bundlers cut documents apart. */
export const operations = told.documents ? separateOperations(concatAST(read(told.documents))) : {};

export const schema = told.schema ? buildSchema(readFileSync(told.schema, "utf8")) : undefined;

/** Which types an interface or union can be: caches need it to match fragments. */
export const possibleTypes = () =>
  Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter((type) => isAbstractType(type))
      .map((type) => [type.name, schema.getPossibleTypes(type).map((one) => one.name)]),
  );

/** A fetch that keeps what was sent, and with which status it was answered. */
export const watched = (sent, fetching = fetch) => async (address, init) => {
  const answer = await fetching(address, init);
  sent.push({ body: init.body ? JSON.parse(init.body) : null, accept: init.headers?.accept, status: answer.status });
  return answer;
};

const named = (bytes) => Buffer.from(bytes).toString("base64url");
const part = (value) => named(JSON.stringify(value));
const algorithm = { name: "ECDSA", namedCurve: "P-256" };

/** A fetch that sends a token with a proof of its key (RFC 9449), and again with the nonce where one is wanted. */
export const proving = (jwk, token, fetching = fetch) => {
  const { d, ...own } = jwk;
  const signing = crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  let nonce;
  const proof = async (htm, htu) => {
    const ath = named(await crypto.subtle.digest("SHA-256", Buffer.from(token)));
    const claims = { htm, htu, ath, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), nonce };
    const text = `${part({ typ: "dpop+jwt", alg: "ES256", jwk: own })}.${part(claims)}`;
    const signed = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, await signing, Buffer.from(text));
    return `${text}.${named(signed)}`;
  };
  const send = async (address, init) => {
    const authorized = { authorization: `DPoP ${token}`, dpop: await proof(init.method, String(address)) };
    return fetching(address, { ...init, headers: { ...init.headers, ...authorized } });
  };
  return async (address, init) => {
    nonce ??= (await send(address, { ...init, body: "{}" })).headers.get("dpop-nonce");
    const answer = await send(address, init);
    nonce = answer.headers.get("dpop-nonce") ?? nonce;
    return answer;
  };
};

export const print = (found) => console.log(JSON.stringify(found));
