// Puts what the page is given through the verifier, and shows the verdict. Nothing is sent, kept or written as markup.
import { verify } from "./verify.js";

export const REASONS = {
  TOO_LARGE: ["It is larger than any statement.", "Ask the holder to present it again."],
  MALFORMED: ["It is not a statement in its one form.", "Check that the whole file arrived, unchanged."],
  WRONG_ALGORITHM: ["It is signed by another algorithm than ES256.", "Ask the holder to present it again."],
  WRONG_TYPE: ["It is signed, but it is no credit statement.", "Ask the holder to present it again."],
  UNKNOWN_ISSUER: ["It is of another company than the keys.", "Fetch the keys of the company again, over a connection you trust, and compare whom they are of."],
  UNKNOWN_KEY: ["It names a key that is not among the company's.", "Fetch the keys of the company again, over a connection you trust, and compare whom they are of."],
  UNUSABLE_KEY: ["A key is no public P-256 key.", "Fetch the keys of the company again, over a connection you trust, and compare whom they are of."],
  BAD_SIGNATURE: ["The company did not sign this: it was changed, or made by somebody else.", "Ask the holder to present it again."],
  KEY_ENDED: ["It is signed with a key that had ended before.", "Ask the holder for a new one."],
  MISSING_CLAIM: ["Something that every statement says is missing in it.", "Ask the holder to present it again."],
  NOT_YET_VALID: ["It is not valid yet.", "Check the clock of this machine, or wait."],
  EXPIRED: ["It has expired.", "Ask the holder for a new one."],
  UNKNOWN_DIGEST_ALGORITHM: ["Its digests are made by another algorithm than SHA-256.", "Ask the holder to present it again."],
  MALFORMED_DISCLOSURE: ["What is disclosed is not in its form.", "Ask the holder to present it again."],
  UNDECLARED_DISCLOSURE: ["Something is disclosed that the company did not sign.", "Ask the holder to present it again."],
  DOUBLE_DIGEST: ["Something is disclosed or signed twice.", "Ask the holder to present it again."],
  FORBIDDEN_CLAIM: ["Something is disclosed under a name that only the signed part may use.", "Ask the holder to present it again."],
  DOUBLE_CLAIM: ["Something is disclosed under a name that is taken already.", "Ask the holder to present it again."],
  HOLDER_NOT_PROVEN: ["Whoever sent it did not prove to be its holder.", "Ask the holder to present it to you, with the audience and the nonce that you name."],
  BAD_HOLDER_SIGNATURE: ["Whoever presented it does not hold its key.", "Ask the holder to present it again."],
  WRONG_AUDIENCE: ["It was presented to somebody else.", "Ask the holder to present it again."],
  WRONG_NONCE: ["It was presented for another occasion: the nonce is not yours.", "Ask the holder to present it again."],
  OTHER_DISCLOSURES: ["The holder presented other disclosures than these.", "Ask the holder to present it again."],
  WRONG_PRESENTATION_TIME: ["It was presented at a time that cannot be.", "Ask the holder to present it again."],
  OTHER_STATUS_LIST: ["The status list is another one than it names.", "Fetch the list that it names."],
  BAD_STATUS_LIST: ["The status list is not in its form, or the company did not sign it.", "Fetch the keys of the company again, over a connection you trust, and compare whom they are of."],
  STATUS_LIST_EXPIRED: ["The status list is too old to say anything.", "Fetch it again."],
  NOT_IN_STATUS_LIST: ["The status list has no place for it.", "Fetch the list that it names."],
  REVOKED: ["It was revoked.", "Ask the holder for a new one."],
};

const NAMES = {
  name: "Registered name · 名称",
  unified_social_credit_code: "Unified social credit code · 统一社会信用代码",
  grade: "Grade · 信用等级",
  tier: "Tier · 信用分层",
  score_band: "Score between · 评分区间",
  as_of: "Assessed as of · 评估基准日",
  valid_until: "Next review · 下次复评",
  credit_policy: "Credit policy version · 规范版本",
  scorecard: "Scorecard · 评分卡",
  calibration: "Evidence behind the scorecard · 校准依据",
};
const AT_LEAST = "grade_at_least_";
const WORDS = { true: "yes · 是", false: "no · 否", null: "–" };

const find = (id) => document.getElementById(id);
const time = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
const label = (name) => (name.startsWith(AT_LEAST) ? `Grade at least ${name.slice(AT_LEAST.length)} · 等级不低于` : NAMES[name] ?? name);
const words = (value) => WORDS[String(value)] ?? (typeof value === "object" ? JSON.stringify(value) : String(value));

function row(list, name, text) {
  const [term, said] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  said.textContent = text;
  list.append(term, said);
}

function show(verdict) {
  const place = find("verdict");
  place.className = verdict.ok ? "true" : "untrue";
  find("headline").textContent = verdict.ok ? "True · 验证通过" : "Not to be believed · 不可采信";
  const [says, advice] = verdict.ok ? ["", ""] : REASONS[verdict.reason];
  find("why").textContent = verdict.ok ? "" : `${says} ${advice} (${verdict.reason})`;
  const list = find("claims");
  list.replaceChildren();
  if (verdict.ok) {
    row(list, "Company · 出具方", verdict.issuer);
    for (const [name, value] of Object.entries(verdict.claims)) row(list, label(name), words(value));
    row(list, "Issued · 出具时间", time(verdict.issued));
    row(list, "Counts until · 有效至", time(verdict.expires));
    const { presented } = verdict;
    row(list, "Holder · 持有人", presented === null
      ? "not proven: whoever sent it may have copied it"
      : `presented ${time(presented.at)} to ${presented.audience}, occasion ${presented.nonce}`);
    row(list, "Revoked · 撤销", verdict.statusAt === null
      ? `not known: fetch ${verdict.list}`
      : `not as of ${time(verdict.statusAt)}`);
  }
  find("checked").textContent = `Checked ${time(Math.floor(Date.now() / 1000))} in this browser.`;
  place.hidden = false;
  place.focus();
}

// A file, where one is chosen, is read into the text beside it.
for (const name of ["statement", "keys", "status"]) {
  find(`${name}-file`).addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) find(name).value = await file.text();
  });
}

find("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = (id) => find(id).value.trim() || null;
  let keys = null;
  try {
    keys = JSON.parse(find("keys").value);
  } catch {
    show({ ok: false, reason: "UNUSABLE_KEY" });
    return;
  }
  const now = Math.floor(Date.now() / 1000);
  show(await verify(find("statement").value, keys, { now, status: given("status"), audience: given("audience"), nonce: given("nonce") }));
});
