// The components of a desk, as a front end on Relay writes them: each says what it shows, pages compose them.
import { graphql } from "relay-runtime";

graphql`
  query deskListQuery($first: Int!, $after: String, $filter: CreditFileFilter) {
    ...deskList_files
  }
`;

graphql`
  fragment deskList_files on Query @refetchable(queryName: "deskListPageQuery") {
    creditFiles(first: $first, after: $after, filter: $filter)
      @connection(key: "deskList_creditFiles", filters: ["filter"]) {
      totalCount
      edges {
        node {
          ...deskRow_file
        }
      }
    }
  }
`;

graphql`
  query deskPageQuery($id: ID!, $purpose: Purpose!) {
    node(id: $id) {
      ...deskHeading_file @alias
      ...deskStanding_file @alias
      ...deskTerms_file @alias
      ...deskMeasures_file @alias
      ...deskContacts_file @alias
      ...deskConfidential_file @alias
      ...deskHistory_file @alias
      ...deskOrigin_file @alias
    }
    me {
      person
      roles
    }
  }
`;

graphql`
  fragment deskRow_file on CreditFile {
    name
    reference
    ...deskStanding_file
    ...deskTerms_file
  }
`;

graphql`
  fragment deskHeading_file on CreditFile {
    name
    reference
    state
    creditStatus
    phoneMasked
  }
`;

graphql`
  fragment deskStanding_file on CreditFile {
    name
    grade
    score
    tier
    assessment {
      ...deskCard_assessment
    }
  }
`;

graphql`
  fragment deskTerms_file on CreditFile {
    name
    grade
    creditLimit {
      ...deskAmount_money
    }
    netDays
    prepaymentBp
    reviewDueOn
  }
`;

graphql`
  fragment deskMeasures_file on CreditFile {
    name
    grade
    controlActions(first: 10, filter: { state: { eq: ACTIVE } }) {
      edges {
        node {
          kind
          state
        }
      }
    }
  }
`;

graphql`
  fragment deskContacts_file on CreditFile {
    name
    contacts(first: 5) {
      edges {
        node {
          duty
          personNameMasked
        }
      }
    }
  }
`;

graphql`
  fragment deskConfidential_file on CreditFile {
    name
    confidential(purpose: $purpose) {
      phone
      bankAccount
      withheld {
        field
        reason
        unlock
      }
    }
  }
`;

graphql`
  fragment deskHistory_file on CreditFile
  @refetchable(queryName: "deskHistoryPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" }) {
    name
    assessments(first: $count, after: $cursor) @connection(key: "deskHistory_assessments") {
      edges {
        node {
          ...deskCard_assessment
        }
      }
    }
  }
`;

graphql`
  fragment deskOrigin_file on CreditFile {
    name
    collector
    collectedAt
    source {
      name
      type
    }
  }
`;

graphql`
  fragment deskCard_assessment on Assessment @refetchable(queryName: "deskCardQuery") {
    kind
    state
    score
    grade
    creditLimit {
      ...deskAmount_money
    }
    reasons {
      code
      sentence
      pointsLost
    }
  }
`;

graphql`
  fragment deskAmount_money on Money {
    amount
    currency
  }
`;

graphql`
  fragment deskTold_error on UserError {
    __typename
    code
    message
    advice
    path
  }
`;

graphql`
  mutation deskApproveMutation($input: ApproveAssessmentInput!) {
    approveAssessment(input: $input) {
      assessment {
        ...deskCard_assessment
        creditFile {
          ...deskRow_file
        }
      }
      auditEntry
      errors {
        ...deskTold_error @alias
      }
    }
  }
`;

graphql`
  subscription deskEntriesSubscription($first: Int, $after: String) {
    auditEntries(first: $first, after: $after) {
      nodes {
        at
        actor
        action
      }
      pageInfo {
        endCursor
      }
    }
  }
`;
