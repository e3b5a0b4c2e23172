// The verifier of the page, run as the page runs it: verdicts on cases, or the page itself in a document of jsdom.
import { readFileSync } from "node:fs";

const { cases, page } = JSON.parse(readFileSync(0, "utf8"));

if (page) {
  const { JSDOM } = await import("jsdom");
  const { window } = new JSDOM(page.html, { url: "https://credence.example/statement" });
  window.HTMLElement.prototype.focus = function focus() { window.focused = this.id; };
  Object.assign(globalThis, { document: window.document });
  await import("./page.mjs");
  const told = [];
  for (const filled of page.filled) {
    for (const [id, text] of Object.entries(filled)) window.document.getElementById(id).value = text;
    window.focused = "";
    window.document.getElementById("ask").requestSubmit();
    for (let turn = 0; turn < 500 && window.focused !== "verdict"; turn += 1) await new Promise((next) => setTimeout(next, 10));
    const text = (id) => window.document.getElementById(id).textContent;
    const verdict = window.document.getElementById("verdict");
    told.push({ headline: text("headline"), why: text("why"), claims: text("claims"), kind: verdict.className, hidden: verdict.hidden });
  }
  console.log(JSON.stringify(told));
} else {
  const { verify } = await import("./verify.mjs");
  const verdicts = [];
  for (const one of cases) verdicts.push(await verify(one.text, one.keys, one.options));
  console.log(JSON.stringify(verdicts));
}
