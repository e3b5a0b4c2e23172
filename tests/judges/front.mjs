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
export const watched = (sent) => async (address, init) => {
  const answer = await fetch(address, init);
  sent.push({ body: init.body ? JSON.parse(init.body) : null, accept: init.headers?.accept, status: answer.status });
  return answer;
};

export const print = (found) => console.log(JSON.stringify(found));
