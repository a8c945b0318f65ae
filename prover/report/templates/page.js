// The theorems are in the page as JSON, deflated: the rest of the table is there without it.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const json = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(json).json();
}

const form = document.querySelector("form");
const body = document.querySelector("#table tbody");
const shown = form.querySelector("output");
const more = document.getElementById("more");
const page = Number(more.dataset.page);
const number = new Intl.NumberFormat("en");
const theorems = (await unpacked(document.getElementById("data").textContent)).map((data, index) => {
  const row = body.rows[index];
  const button = row.querySelector("button");
  return { ...data, index, row, button, name: button.textContent, text: row.cells[1].textContent.toLowerCase() };
});
const byName = new Map(theorems.map((theorem) => [theorem.name, theorem]));
const byButton = new Map(theorems.map((theorem) => [theorem.button, theorem]));

// --- elements ------------------------------------------------------------------------------------

function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

function styled(tag, name, ...children) {
  const made = element(tag, ...children);
  made.className = name;
  return made;
}

function facts(pairs) {
  const said = Object.entries(pairs).filter(([, value]) => value !== "" && value != null);
  return element("dl", ...said.map(([name, value]) => element("div", element("dt", name), element("dd", String(value)))));
}

function seconds(value) {
  return value === undefined ? "" : `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

// --- one theorem: its lemma tree and everything else that the log says of it -----------------------

function lemma([name, kind, formula, cnf, replies, certificates]) {
  const statuses = [...new Set(replies.map(([, status]) => status))].join(", ");
  const time = replies.length ? seconds(replies.reduce((sum, [, , took]) => sum + took, 0)) : "";
  const leaves = [
    ...replies.map(([engine, status, took]) => `${engine}: ${status}, ${seconds(took)}`),
    ...certificates.map(([form, digest, bytes]) => `certificate: ${form}, ${number.format(bytes)} bytes, SHA-256 ${digest}…`),
    ...(formula ? [`formula SHA-256 ${formula}…`] : []),
    ...(cnf ? [`clauses SHA-256 ${cnf}…`] : []),
  ];
  const summary = element("summary", styled("span", "name", name), ` ${kind} `, styled("span", "said", `${statuses} ${time}`));
  return element("li", element("details", summary, element("ul", ...leaves.map((leaf) => element("li", leaf)))));
}

/** The step that a lemma is about, and which part of it, by the names that prover/composition.py gives. */
function place(name, steps) {
  const [, step, part] = name.match(/^(.*?): (.*)$/) ?? [];
  if (step) return [step, part];
  const [, what, subject] = name.match(/^(fact|cases) (?:about|of) (.*)$/) ?? [];
  if (what) return [subject, what];
  const split = steps.find((each) => name.startsWith(`${each}, `));
  return split ? [split, name.slice(split.length + 2)] : [name, name];
}

/** Lemmas by the steps that they are about; one that is all there is to its step has no step above it. */
function tree(lemmas, theorem) {
  const root = styled("ul", "tree");
  const split = lemmas.filter(([name]) => name.startsWith("cases of ")).map(([name]) => name.slice("cases of ".length));
  const steps = new Map();
  for (const [name, ...rest] of lemmas) {
    const [step, part] = place(name, split);
    steps.set(step, [...(steps.get(step) ?? []), [part === theorem ? "as a whole" : part, ...rest]]);
  }
  for (const [step, parts] of steps) {
    const leaves = parts.map(lemma);
    const own = parts.every(([part]) => part === step || part === "as a whole");
    if (own) root.append(...leaves);
    else root.append(element("li", styled("span", "name", step), element("ul", ...leaves)));
  }
  return root;
}

function details(theorem) {
  const { netlist, facets: { outcome, engine, ...parameters }, message, lemmas } = theorem;
  const cell = element("td", facts({
    ...parameters,
    promised: theorem.promised,
    engines: (theorem.engines ?? []).join("; "),
    timeout: seconds(theorem.timeout),
    seed: theorem.seed ?? 0,
    "peak memory": theorem.memory === undefined ? "" : `${number.format(Math.round(theorem.memory))} MiB`,
    circuit: netlist && `${number.format(netlist.neurons)} neurons, ${number.format(netlist.synapses)} synapses, depth ${netlist.depth}, largest fan-in ${netlist.largest_fan_in}`,
    "netlist SHA-256": netlist?.sha256,
    "spec SHA-256": theorem.spec,
    seal: theorem.seal,
  }));
  if (message) cell.append(element("pre", message));
  if (lemmas) cell.append(element("h4", lemmas.length === 1 ? "One lemma" : `${lemmas.length} lemmas`), tree(lemmas, theorem.name));
  return styled("tr", "details", cell);
}

function toggle(theorem, open) {
  theorem.button.setAttribute("aria-expanded", String(open));
  theorem.details?.remove();
  theorem.details = open ? details(theorem) : undefined;
  if (open) theorem.row.after(theorem.details);
  span();
}

/** Details are as wide as the columns that there is room for. */
function span() {
  const columns = [...document.querySelectorAll("#table thead th")].filter((head) => head.checkVisibility()).length;
  for (const { cells: [cell] } of body.querySelectorAll(":scope > .details")) cell.colSpan = columns;
}

// --- the table: filters, order, and no more rows at a time than are quick to draw ---------------------

let limit = page;
let ordered = [...theorems];

const KEYS = {
  outcome: ({ facets }) => facets.outcome.at(-1) + facets.outcome[0],
  theorem: ({ index }) => index,
  engine: ({ facets }) => facets.engine.join(),
  lemmas: ({ lemmas }) => lemmas?.length ?? -1,
  neurons: ({ netlist }) => netlist?.neurons ?? -1,
  depth: ({ netlist }) => netlist?.depth ?? -1,
  seconds: (theorem) => theorem.seconds ?? -1,
};

function filter() {
  const wanted = [...new FormData(form)].filter(([, value]) => value);
  const words = (form.elements.q.value.toLowerCase().match(/\S+/g) ?? []);
  const facets = wanted.filter(([name]) => name !== "q");
  let count = 0;
  for (const theorem of ordered) {
    const fits = facets.every(([name, value]) => theorem.facets[name]?.includes(value))
      && words.every((word) => theorem.text.includes(word));
    count += fits;
    theorem.row.hidden = !fits || (count > limit && !theorem.details);
    if (theorem.details) theorem.details.hidden = !fits;
  }
  shown.textContent = `${number.format(count)} of ${number.format(theorems.length)}`;
  more.hidden = count <= limit;
  more.textContent = `Show all ${number.format(count)}`;
  return wanted;
}

function order(header) {
  const head = header.closest("th");
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = KEYS[header.dataset.key];
  const keyed = theorems.map((theorem) => [key(theorem), theorem]);
  keyed.sort(([a, { index: i }], [b, { index: j }]) => ((a > b) - (a < b)) * (down ? -1 : 1) || i - j);
  ordered = keyed.map(([, theorem]) => theorem);
  filter();
  body.append(...ordered.flatMap(({ row, details }) => (details ? [row, details] : [row])));
}

// --- the address: a filter or a theorem that can be linked to ----------------------------------------

function refilter() {
  history.replaceState(null, "", `#${new URLSearchParams(filter())}`);
}

function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (!location.hash.includes("=")) return filter();
  form.reset();
  for (const [name, value] of asked) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  }
  const theorem = byName.get(asked.get("theorem"));
  if (theorem) toggle(theorem, true);
  filter();
  (theorem?.row ?? document.getElementById("theorems")).scrollIntoView();
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", refilter);
form.elements.q.addEventListener("input", refilter);
form.addEventListener("reset", () => setTimeout(refilter));
document.querySelector("#table thead").addEventListener("click", ({ target }) => target.dataset.key && order(target));
body.addEventListener("click", ({ target }) => {
  const theorem = byButton.get(target);
  if (theorem) toggle(theorem, !theorem.details);
});
more.addEventListener("click", () => { limit = Infinity; filter(); });
addEventListener("resize", span);
addEventListener("hashchange", follow);
follow();
