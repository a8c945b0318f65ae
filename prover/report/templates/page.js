"use strict";

const form = document.querySelector("form");
const body = document.querySelector("#table tbody");
const shown = form.querySelector("output");
const number = new Intl.NumberFormat("en");
const theorems = JSON.parse(document.getElementById("data").textContent).map((data, index) => {
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

function lemma([name, kind, formula, cnf, merges, answers, certificates]) {
  const statuses = [...new Set(answers.map(([, status]) => status))].join(", ") || "by algebra alone";
  const time = seconds(answers.reduce((sum, [, , took]) => sum + took, 0));
  const leaves = [
    ...answers.map(([engine, status, took]) => `${engine}: ${status}, ${seconds(took)}`),
    ...certificates.map(([form, digest, bytes]) => `certificate: ${form}, ${number.format(bytes)} bytes, SHA-256 ${digest}…`),
    ...(formula ? [`formula SHA-256 ${formula}…`] : []),
    ...(cnf ? [`clauses SHA-256 ${cnf}…`] : []),
    ...(merges === null ? [] : [`${number.format(merges)} internal equivalences merged`]),
  ];
  const summary = element("summary", styled("span", "name", name), ` ${kind} `, styled("span", "said", `${statuses} ${time}`));
  return element("li", element("details", summary, element("ul", ...leaves.map((leaf) => element("li", leaf)))));
}

/** Lemmas named "step: part" go under their step. */
function tree(lemmas) {
  const steps = new Map();
  for (const [name, ...rest] of lemmas) {
    const [step, part] = name.includes(": ") ? [name.slice(0, name.indexOf(": ")), name.slice(name.indexOf(": ") + 2)] : ["", name];
    if (!steps.has(step)) steps.set(step, []);
    steps.get(step).push(lemma([part, ...rest]));
  }
  const branches = [...steps].flatMap(([step, leaves]) =>
    step ? [element("li", styled("span", "name", step), element("ul", ...leaves))] : leaves);
  return styled("ul", "tree", ...branches);
}

function details(theorem) {
  const { netlist, parameters, message, lemmas } = theorem;
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
  if (lemmas) cell.append(element("h4", lemmas.length === 1 ? "One lemma" : `${lemmas.length} lemmas`), tree(lemmas));
  cell.colSpan = theorem.row.cells.length;
  return styled("tr", "details", cell);
}

function toggle(theorem, open) {
  theorem.button.setAttribute("aria-expanded", String(open));
  theorem.details?.remove();
  theorem.details = open ? details(theorem) : undefined;
  if (open) theorem.row.after(theorem.details);
}

// --- the table: filters, order ---------------------------------------------------------------------

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
  for (const theorem of theorems) {
    const fits = facets.every(([name, value]) => theorem.facets[name]?.includes(value))
      && words.every((word) => theorem.text.includes(word));
    theorem.row.hidden = !fits;
    if (theorem.details) theorem.details.hidden = !fits;
    count += fits;
  }
  shown.textContent = `${number.format(count)} of ${number.format(theorems.length)}`;
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
  body.append(...keyed.flatMap(([, { row, details }]) => (details ? [row, details] : [row])));
}

// --- the address: a filter or a theorem that can be linked to ----------------------------------------

function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (!location.hash.includes("=")) return filter();
  form.reset();
  for (const [name, value] of asked) if (form.elements[name]) form.elements[name].value = value;
  filter();
  const theorem = byName.get(asked.get("theorem"));
  if (theorem) toggle(theorem, true);
  (theorem?.row ?? document.getElementById("theorems")).scrollIntoView();
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => history.replaceState(null, "", `#${new URLSearchParams(filter())}`));
form.addEventListener("reset", () => setTimeout(() => form.dispatchEvent(new Event("input"))));
document.querySelector("#table thead").addEventListener("click", ({ target }) => target.dataset.key && order(target));
body.addEventListener("click", ({ target }) => {
  const theorem = byButton.get(target);
  if (theorem) toggle(theorem, !theorem.details);
});
addEventListener("hashchange", follow);
follow();
