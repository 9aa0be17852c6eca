const data = JSON.parse(find("data").textContent);
const key = "nucrec-" + data.key;
const cards = all(".cards li");
const lists = all(".cards");
const classes = data.classes.map((each) => each.name);
let labels = {}; // id of a card -> number of a class
let saved = true; // whether the table holds all labels
let remembers = true; // whether the browser keeps labels
let view = { zoom: 1, light: 1 };

const count = () => Object.keys(labels).length;
const rowOf = (card) => data.images[card.id];
const visible = () => cardsInOrder().filter((card) => !card.hidden);
const cardsInOrder = () => lists.flatMap((list) => [...list.children]);
const enlarged = () => {
  const figure = document.querySelector("figure:target");
  return figure && figure.closest("li");
};
const current = () => enlarged() || document.activeElement.closest(".cards li");

function remember() {
  const could = keep(key, { labels, saved });
  if (!could && remembers) say("This browser does not keep labels: save the table before you close the page.", true);
  remembers = could;
}

function recall() {
  const state = kept(key);
  remembers = state !== null;
  if (!state) return;
  for (const [id, k] of Object.entries(state.labels || {}))
    if (data.images[id] && data.images[id].file && k in classes) labels[id] = k;
  saved = state.saved !== false;
}

// the list

const comparable = {
  name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }),
  well: (a, b) => a.dataset.well.localeCompare(b.dataset.well, undefined, { numeric: true }),
  margin: (a, b) => a.dataset.margin - b.dataset.margin,
  probability: (a, b) => a.dataset.probability - b.dataset.probability,
};

function sort() {
  const [, sign, by] = /^(-?)(.*)$/.exec(find("sort").value);
  const order = (a, b) => (sign ? -1 : 1) * comparable[by](a, b);
  for (const list of lists) list.append(...[...list.children].sort(order));
}

const value = (id) => (find(id) ? find(id).value : "");

function fits(card) {
  const label = labels[card.id];
  const { call, well, flags, name } = card.dataset;
  const wanted = { no: label === undefined, yes: label !== undefined, other: label !== undefined && String(label) !== call };
  return (
    (!value("call") || value("call") === call) &&
    (!value("well") || value("well") === well) &&
    (!value("flags") || flags.split(" ").includes(value("flags"))) &&
    (!value("labelled") || wanted[value("labelled")]) &&
    name.toLowerCase().includes(value("search").trim().toLowerCase())
  );
}

function choose() {
  for (const card of cards) card.hidden = !fits(card);
  const n = visible().length;
  find("count").textContent = n === cards.length ? `${n} images below.` : `${n} of ${cards.length} images below fit your choice.`;
}

// labels

function mark(card) {
  const label = labels[card.id];
  card.classList.toggle("labelled", label !== undefined);
  for (const button of card.querySelectorAll(".answers button"))
    button.setAttribute("aria-pressed", Number(button.dataset.label) === label);
}

function told() {
  const n = classes.map((name, k) => `${Object.values(labels).filter((label) => label === k).length} ${name}`);
  const other = cards.filter((card) => card.id in labels && String(labels[card.id]) !== card.dataset.call).length;
  find("save").disabled = find("clear").disabled = !count();
  return count() ? `${count()} labelled: ${n.join(", ")}; ${other} otherwise than called.` : "No image is labelled yet.";
}

function label(card, k) {
  if (!rowOf(card).file) return say("This file has a name that a table cannot hold: rename it, and predict again.", true);
  if (labels[card.id] === k) delete labels[card.id];
  else labels[card.id] = k;
  const isNew = card.id in labels;
  saved = false;
  mark(card);
  say(told());
  remember();
  if (enlarged() && isNew) step(card, 1);
}

function step(card, by) {
  const shown = visible();
  const next = shown[shown.indexOf(card) + by];
  if (next) open(next);
  else if (by > 0) close(card, "That was the last image. " + told());
}

function open(card) {
  location.replace(`#${card.id}-large`);
}

function close(card, words = told()) {
  location.replace(`#${card.id}`);
  choose();
  say(words);
  card.querySelector(".enlarge").focus();
}

function firstOpen() {
  const next = visible().find((card) => !(card.id in labels) && rowOf(card).file);
  if (next) open(next);
  else say("All images below are labelled. " + told());
}

function save() {
  if (!count()) return;
  const lines = cards
    .filter((card) => card.id in labels)
    .map((card) => [rowOf(card).before, data.classes[labels[card.id]].cell, rowOf(card).after].join(","));
  download(data.table, [data.header, ...lines]);
  saved = true;
  remember();
  const none = classes.filter((name, k) => !Object.values(labels).includes(k));
  const missing = none.length ? ` No image is labelled ${none.join(" or ")}: training needs images of each class.` : "";
  say(`Saved ${lines.length} labels as ${data.table} in your downloads.${missing}`, none.length > 0);
}

function load(text) {
  const [header, ...rows] = parse(text);
  const names = header.map((name) => name.trim().toLowerCase());
  const [file, what] = [names.indexOf("file"), names.indexOf("label")];
  if (file < 0 || what < 0) return say("This file has no columns file and label: it was not saved by such a page.", true);
  const ids = Object.fromEntries(Object.entries(data.images).map(([id, row]) => [row.file, id]));
  const found = {};
  let strange = 0;
  for (const row of rows.filter((each) => each[file])) {
    const k = classes.findIndex((name) => name.toLowerCase() === (row[what] || "").trim().toLowerCase());
    if (k < 0 || !(row[file].trim() in ids)) strange++;
    else found[ids[row[file].trim()]] = k;
  }
  if (strange) return say(`${strange} rows are of images or classes that this page does not show: nothing was loaded.`, true);
  const changed = Object.keys(found).filter((id) => id in labels && labels[id] !== found[id]).length;
  if (changed && !confirm(`This table labels ${changed} images otherwise than here. Replace the labels here?`))
    return say("Nothing was loaded: the labels here are kept.");
  labels = { ...labels, ...found };
  saved = false;
  cards.forEach(mark);
  choose();
  say(`Loaded ${Object.keys(found).length} labels. ${told()}`);
  remember();
}

function clear() {
  if (!count() || !confirm("Delete all labels of this page?")) return;
  labels = {};
  saved = true;
  cards.forEach(mark);
  choose();
  say(told());
  remember();
}

// the view

function look(change) {
  view = { ...view, ...change };
  for (const list of lists) for (const name of ["zoom", "light"]) list.style.setProperty("--" + name, view[name]);
}
const zoom = (by) => look({ zoom: limited(view.zoom * by, 1, 8) });
const light = (by) => look({ light: limited(view.light * by, 0.2, 8) });

function button(words, action, name) {
  const made = document.createElement("button");
  made.textContent = words;
  if (name) made.setAttribute("aria-label", name);
  made.addEventListener("click", action);
  return made;
}

function prepare(card) {
  const answers = document.createElement("div");
  answers.className = "answers";
  answers.setAttribute("role", "group");
  answers.setAttribute("aria-label", `label of ${card.dataset.name}`);
  classes.forEach((name, k) => {
    const made = button(name, () => label(card, k));
    made.dataset.label = k;
    answers.append(made);
  });
  const nav = card.querySelector("nav");
  nav.before(answers);
  nav.append(
    button("−", () => zoom(0.8), "smaller"), button("+", () => zoom(1.25), "larger"),
    button("Darker", () => light(0.8)), button("Brighter", () => light(1.25)),
  );
  for (const link of card.querySelectorAll("nav a"))
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (link.dataset.step) step(card, Number(link.dataset.step));
      else close(card);
    });
  card.querySelector(".enlarge").addEventListener("click", (event) => {
    event.preventDefault();
    if (enlarged() !== card) open(card);
  });
  mark(card);
}

const actions = { open: firstOpen, save, clear };
const keys = {
  f: firstOpen, s: save, "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8),
  "[": () => light(0.8), "]": () => light(1.25),
  ArrowLeft: (card) => card && enlarged() && step(card, -1),
  ArrowRight: (card) => card && enlarged() && step(card, 1),
  Escape: (card) => card && enlarged() && close(card),
};
classes.slice(0, 9).forEach((name, k) => {
  keys[k + 1] = (card) => (card ? label(card, k) : say("Choose an image first, or press F."));
});

document.addEventListener("keydown", (event) => {
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, select")) return;
  if (event.key.startsWith("Arrow") && !enlarged()) return;
  event.preventDefault();
  action(current());
});
for (const [id, action] of Object.entries(actions)) find(id).addEventListener("click", action);
find("sort").addEventListener("change", () => { sort(); choose(); });
for (const id of ["call", "labelled", "well", "flags"]) if (find(id)) find(id).addEventListener("change", choose);
find("search").addEventListener("input", choose);
for (const link of all("[data-well]").filter((each) => each.tagName === "A"))
  link.addEventListener("click", () => {
    if (!find("well")) return;
    find("well").value = [...find("well").options].some((each) => each.value === link.dataset.well) ? link.dataset.well : "";
    choose();
    if (find("well").value !== link.dataset.well) say(`No image of ${link.dataset.well} is among those shown.`);
  });
guard(load, () => !saved && !remembers);

recall();
cards.forEach(prepare);
find("tools").hidden = find("bottom").hidden = false;
choose();
say(count() ? `${told()} They were kept from the last time.` : told());
