"use strict";
const find = (id) => document.getElementById(id);
const all = (what) => [...document.querySelectorAll(what)];

// a browser's own memory, which a person may have turned off
function keep(key, state) {
  try {
    localStorage.setItem(key, JSON.stringify(state));
    return true;
  } catch {
    return false;
  }
}

function kept(key) {
  try {
    return JSON.parse(localStorage.getItem(key) || "{}") || {};
  } catch {
    return null;
  }
}

// Excel takes text that is not ASCII for UTF-8 only after a byte order mark
function download(name, lines) {
  const text = lines.join("\n") + "\n";
  const mark = /^[\x00-\x7f]*$/.test(text) ? "" : "\ufeff";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([mark + text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function parse(text) {
  const first = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n").replace(/^(?:[ \t,;]*(?:"?sep=.*)?\n)+/i, "");
  const header = first.slice(0, first.search(/\n|$/));
  const delimiter = [",", ";", "\t"].map((d) => [header.split(d).length, d]).sort((a, b) => b[0] - a[0])[0][1];
  const rows = [[]];
  let cell = "", quoted = false;
  for (let i = 0; i < first.length; i++) {
    const c = first[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (first[i + 1] === '"') { cell += '"'; i++; }
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === delimiter) { rows.at(-1).push(cell); cell = ""; }
    else if (c === "\n") { rows.at(-1).push(cell); cell = ""; rows.push([]); }
    else cell += c;
  }
  rows.at(-1).push(cell);
  return rows;
}

function say(words, bad = false) {
  find("said").textContent = words;
  find("said").classList.toggle("bad", bad);
}

const limited = (value, low, high) => Math.min(Math.max(Math.round(value * 100) / 100, low), high);

// read the table that a person opens, and ask before what they did is lost
function guard(load, isUnsaved) {
  find("load").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) load(await file.text());
    event.target.value = "";
  });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}
