// A small program of a front-end team over the generated types; the compiler is its judge. Lines that must not
// compile are marked as expected errors, so that types which say too little fail here too.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { type FragmentType, getFragmentData } from "./generated/client/fragment-masking";
import {
  type ApproveAssessmentMutation,
  ApproveAssessmentDocument,
  CreditFileListDocument,
  CreditFilePageDocument,
  CreditFileRowFragmentDoc,
  type CreditFileRowFragment,
  EntriesAsTheyComeDocument,
} from "./generated/client/graphql";
import type { ConflictError, Mutation, Query, UserError } from "./generated/types";

interface Failure {
  message: string;
  extensions: { code: string; advice: string; requestId: string };
}

async function ask<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const body = JSON.stringify({ query: print(document), variables });
  const answer = await fetch("/graphql", { method: "POST", body, headers: { "content-type": "application/json" } });
  const { data, errors } = (await answer.json()) as { data: Data; errors?: Failure[] };
  if (errors?.length) throw new Error(errors.map(({ extensions }) => extensions.code).join());
  return data;
}

function line(masked: FragmentType<typeof CreditFileRowFragmentDoc>): string {
  const row: CreditFileRowFragment = getFragmentData(CreditFileRowFragmentDoc, masked);
  const limit: string = row.creditLimit ? `${row.creditLimit.amount} ${row.creditLimit.currency}` : "none";
  const due: string | null = row.reviewDueOn;
  // @ts-expect-error a file that is not assessed has no grade
  const grade: string = row.grade;
  return [row.reference, row.name, grade, limit, due ?? "not due"].join(" ");
}

export async function list(after?: string): Promise<string[]> {
  const { creditFiles } = await ask(CreditFileListDocument, {
    first: 50,
    after,
    filter: { grade: { in: ["A", "BBB"] }, state: { eq: "OPEN" } },
    orderBy: { field: "SCORE", direction: "DESC" },
  });
  // @ts-expect-error whoever reads no files gets null, and an error
  creditFiles.totalCount;
  return creditFiles?.edges.map(({ node }) => line(node)) ?? [];
}

export async function opened(id: string): Promise<string> {
  const { creditFile } = await ask(CreditFilePageDocument, { id, purpose: "CREDIT_REVIEW" });
  const confidential = creditFile?.confidential;
  return confidential?.phone ?? confidential?.withheld.map(({ reason }) => reason).join() ?? "no such file";
}

// @ts-expect-error confidential fields are opened for a purpose
export const withoutPurpose = () => ask(CreditFilePageDocument, { id: "cf_1" });
// @ts-expect-error purposes are a closed list
export const otherPurpose = () => ask(CreditFilePageDocument, { id: "cf_1", purpose: "CURIOSITY" });
// @ts-expect-error an input says which assessment
export const nothingApproved = () => ask(ApproveAssessmentDocument, { input: {} });

type Approved = NonNullable<ApproveAssessmentMutation["approveAssessment"]>;

export async function approve(assessment: string): Promise<Approved> {
  const { approveAssessment } = await ask(ApproveAssessmentDocument, { input: { assessment } });
  if (!approveAssessment) throw new Error("nothing was answered");
  return approveAssessment;
}

/** Every way in which an approval is refused, told by its type; one that is forgotten does not compile. */
export function remedy(error: NonNullable<Mutation["approveAssessment"]>["errors"][number]): string {
  const user: UserError = error;
  switch (error.__typename) {
    case "ConflictError":
    case "MalformedError":
    case "NotConsentedError":
    case "NotFoundError":
    case "NotInForceError":
    case "NotPermittedError":
      return `${error.code} at ${error.path.join(".")}: ${user.advice}`;
    case undefined:
      return user.advice;
    default:
      return error satisfies never;
  }
}

export const conflict = (error: ConflictError): UserError => error;
export type Roots = keyof Query;
export const watched: TypedDocumentNode = EntriesAsTheyComeDocument;
