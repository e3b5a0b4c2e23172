"use strict";
// The token and everything that is typed stay in the memory of this page: nothing is kept in the browser.
(() => {
  const token = document.getElementById("token");
  const kept = new Map();
  const storage = {
    get length() { return kept.size; },
    clear: () => kept.clear(),
    getItem: (key) => (kept.has(key) ? kept.get(key) : null),
    setItem: (key, value) => { kept.set(key, String(value)); },
    removeItem: (key) => { kept.delete(key); },
  };
  const fetcher = async (parameters) => {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    if (token.value) headers.Authorization = `Bearer ${token.value}`;
    const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(parameters) });
    return answer.json();
  };
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  let turn = 0;
  const show = () => {
    turn += 1; // another caller has another schema: it is asked for again
    root.render(React.createElement(GraphiQL, {
      key: turn, fetcher, storage, isHeadersEditorEnabled: false, shouldPersistHeaders: false,
      defaultQuery: "{ me { person roles } creditFiles(first: 3) { totalCount nodes { id name grade } } }",
    }));
  };
  document.getElementById("who").addEventListener("submit", (event) => { event.preventDefault(); show(); });
  show();
})();
