const data = JSON.parse(document.getElementById("data").textContent);
const cells = data.cells;
const key = "nucrec-" + data.key;
let answers = {}; // review_id -> [answer, number of micronuclei or ""]
let at = 0;
let saved = true; // whether the CSV holds all answers
let remembers = true; // whether the browser keeps answers
const plainView = { zoom: 1, contrast: 1, light: 1, invert: 0, outline: true };
let view = { ...plainView };

const ids = new Set(cells.map((cell) => cell.id));
const isAnswer = (value) => Array.isArray(value) && ["yes", "no", "unsure"].includes(value[0]);

function remember() {
  const could = keep(key, { answers, at, saved });
  if (!could && remembers) say("This browser does not keep answers: save the CSV before you close the page.", true);
  remembers = could;
}

function recall() {
  const state = kept(key);
  remembers = state !== null;
  if (!state) return;
  for (const [id, value] of Object.entries(state.answers || {}))
    if (ids.has(id) && isAnswer(value)) answers[id] = value;
  if (Number.isInteger(state.at) && state.at >= 0 && state.at < cells.length) at = state.at;
  saved = state.saved !== false;
}

const count = () => Object.keys(answers).length;

function show() {
  const cell = cells[at];
  for (const grey of all(".grey")) {
    grey.src = cell.image;
    grey.alt = "the cell in the middle, with its surroundings";
  }
  const [outline] = all(".outline");
  outline.src = cell.outline;
  outline.hidden = all(".plain")[0].hidden = !view.outline;
  const panes = find("panes").style;
  for (const name of ["zoom", "contrast", "light", "invert"]) panes.setProperty("--" + name, view[name]);
  find("where").textContent = `Cell ${at + 1} of ${cells.length}`;
  const unsure = Object.values(answers).filter((value) => value[0] === "unsure").length;
  find("done").textContent = `${count()} answered` + (unsure ? `, ${unsure} of them unsure` : "");
  find("progress").max = cells.length;
  find("progress").value = count();
  find("about").textContent = cell.about || "";
  find("about").hidden = !cell.about;
  const [answer, number] = answers[cell.id] || ["", ""];
  all("[data-answer]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.answer === answer));
  all("[data-count]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.count === String(number)));
  find("outline").setAttribute("aria-pressed", view.outline);
  find("invert").setAttribute("aria-pressed", view.invert === 1);
  find("contrast").setAttribute("aria-pressed", view.contrast > 1);
  find("back").disabled = at === 0;
  find("next").disabled = at === cells.length - 1;
}

function go(place) {
  at = Math.min(Math.max(place, 0), cells.length - 1);
  remember();
  show();
}

function firstOpen() {
  const open = cells.findIndex((cell) => !(cell.id in answers));
  if (open < 0) return done();
  go(open);
}

function done() {
  say("All cells are answered. Save reviewed.csv.");
}

function answer(what, number = "") {
  answers[cells[at].id] = [what, number];
  saved = false;
  say("");
  go(at + 1);
  if (count() === cells.length) done();
}

function look(change) {
  view = { ...view, ...change };
  show();
}

const zoom = (by) => look({ zoom: limited(view.zoom * by, 1, 8) });
const light = (by) => look({ light: limited(view.light * by, 0.2, 8) });

function save() {
  const lines = cells.map((cell) => cell.row + "," + (answers[cell.id] || ["", ""]).join(","));
  download("reviewed.csv", [data.header, ...lines]);
  saved = true;
  remember();
  say(`Saved ${count()} answers as reviewed.csv in your downloads.`);
}

// other spellings of answers, as nucrec reads them in tables
const spellings = {
  yes: ["1", "true", "yes", "y", "micronucleus", "micronucleated", "positive"],
  no: ["0", "false", "no", "n", "none", "nucleus", "negative"],
  unsure: ["unsure", "unclear", "?"],
};
const meaning = (word) => (/^0*[1-9]\d*$/.test(word) ? "yes" : undefined) || Object.keys(spellings).find((what) => spellings[what].includes(word));
const rowsOf = (n) => `${n} row${n === 1 ? "" : "s"}`;

function load(text) {
  const rows = parse(text);
  const names = rows[0].map((name) => name.trim());
  const [id, what, number] = ["review_id", "reviewed", "reviewed_micronuclei"].map((n) => names.indexOf(n));
  if (id < 0 || what < 0) return say("This file has no columns review_id and reviewed: it was not saved by such a page.", true);
  const found = {};
  const unclear = []; // words that are no answers
  let strange = 0, twice = 0;
  for (const row of rows.slice(1)) {
    const word = (row[what] || "").trim().toLowerCase();
    if (!row[id] || !row[id].trim()) continue;
    if (!ids.has(row[id].trim())) strange++;
    else if (meaning(word)) {
      const n = number < 0 ? "" : (row[number] || "").trim();
      const value = [meaning(word), /^[0-6]$/.test(n) ? n : ""];
      const before = found[row[id].trim()];
      if (before && before.join() !== value.join()) twice++;
      found[row[id].trim()] = value;
    } else if (!["", "nan", "na"].includes(word)) unclear.push(word);
  }
  if (strange) return say(`${strange} rows of this file are of another review: nothing was loaded.`, true);
  if (twice) return say(`This file has a second, different answer for a cell (${rowsOf(twice)}): nothing was loaded.`, true);
  const changed = Object.keys(found).filter((name) => name in answers && answers[name].join() !== found[name].join());
  if (changed.length && !confirm(`This file has another answer for ${changed.length} of the cells that are answered here. Replace the answers here?`))
    return say("Nothing was loaded: the answers here are kept.");
  answers = { ...answers, ...found };
  saved = false;
  firstOpen();
  const dropped = `${rowsOf(unclear.length)} not understood, such as "${(unclear[0] || "").slice(0, 40)}": use yes, no or unsure.`;
  say(`Loaded ${Object.keys(found).length} answers.` + (unclear.length ? " " + dropped : ""), unclear.length > 0);
  remember();
  show();
}

function clear() {
  if (!confirm("Delete all answers of this page?")) return;
  answers = {};
  saved = true;
  say("All answers are deleted.");
  go(0);
}

const actions = {
  back: () => go(at - 1),
  next: () => go(at + 1),
  open: firstOpen,
  outline: () => look({ outline: !view.outline }),
  in: () => zoom(1.25),
  out: () => zoom(0.8),
  less: () => light(0.8),
  more: () => light(1.25),
  contrast: () => look({ contrast: view.contrast === 1 ? 1.8 : 1 }),
  invert: () => look({ invert: 1 - view.invert }),
  reset: () => look(plainView),
  save,
  clear,
};
const keys = {
  y: () => answer("yes"), n: () => answer("no"), u: () => answer("unsure"), "0": () => answer("no", "0"),
  ArrowLeft: actions.back, Backspace: actions.back, ArrowRight: actions.next, f: actions.open,
  o: actions.outline, "+": actions.in, "=": actions.in, "-": actions.out, "[": actions.less, "]": actions.more,
  c: actions.contrast, i: actions.invert, r: actions.reset, s: actions.save,
};
for (const n of ["1", "2", "3", "4", "5", "6"]) keys[n] = () => answer("yes", n);

document.addEventListener("keydown", (event) => {
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  event.preventDefault();
  action();
});
for (const [id, action] of Object.entries(actions)) find(id).addEventListener("click", action);
all("[data-answer]").forEach((b) => b.addEventListener("click", () => answer(b.dataset.answer)));
all("[data-count]").forEach((b) => b.addEventListener("click", () => answer("yes", b.dataset.count)));
guard(load, () => !saved && !remembers);

recall();
if (count()) say(`${count()} answers were kept from the last time.`);
show();
remember();
