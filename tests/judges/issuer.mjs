// An OIDC issuer that is not ours, run for a test: it obeys one line of JSON at a time and answers each with one.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

// What it says of itself goes where errors go: its answers alone stand on standard output.
console.info = console.warn = console.error;

const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const thumbprint = ({ crv, kty, x, y }) =>
  createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");

let port = 0;
let claims = {};
let provider;
let server;

async function signingKey() {
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign"]);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey("jwk", privateKey);
  return { kty, crv, x, y, d, alg: "ES256", use: "sig", kid: randomBytes(8).toString("hex") };
}

/** What this issuer knows of the partners behind its clients, by the key a client signs with. */
const spokenFor = (client) => claims[thumbprint(client?.jwks?.keys?.[0] ?? {})] ?? {};

/** Whoever is at the browser signs in at once as the person that the request hints at, and agrees. */
async function signedIn(request, answer) {
  const { params, prompt, session } = await provider.interactionDetails(request, answer);
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid");
  grant.addResourceScope("urn:credence:api", "disclosures");
  const done =
    prompt.name === "login" ? { login: { accountId: params.login_hint } } : { consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, answer, done, { mergeWithLastSubmission: false });
}

async function turn() {
  provider = new Provider(`http://127.0.0.1:${port}`, {
    jwks: { keys: [await signingKey()] },
    clientAuthMethods: ["private_key_jwt", "none"],
    enabledJWA: { clientAuthSigningAlgValues: ["ES256"], dPoPSigningAlgValues: ["ES256"] },
    clients: [
      {
        client_id: "desk",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1:1/done"],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        application_type: "native",
        id_token_signed_response_alg: "ES256",
      },
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:credence:api",
        getResourceServerInfo: () => ({
          audience: "urn:credence:api",
          scope: "disclosures",
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    extraTokenClaims: (context, token) =>
      token.accountId ? (claims[token.accountId] ?? {}) : spokenFor(token.client ?? context.oidc.client),
  });
}

const up = () =>
  new Promise((done) => {
    server = createServer((request, answer) =>
      request.url.startsWith("/interaction/") ? signedIn(request, answer) : provider.callback()(request, answer),
    );
    server.listen(port, "127.0.0.1", () => done());
  });

const obey = {
  claims: async (given) => Object.assign(claims, given),
  turn,
  down: () => new Promise((done) => (server.close(done), server.closeAllConnections())),
  up,
};

await up();
port = server.address().port;
await turn();
console.log(JSON.stringify({ issuer: `http://127.0.0.1:${port}` }));
for await (const line of createInterface({ input: process.stdin })) {
  const [word, given] = JSON.parse(line);
  await obey[word](given);
  console.log(JSON.stringify({ done: word }));
}
process.exit(0);
