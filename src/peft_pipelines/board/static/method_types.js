"use strict";
// The types that a new row may have, by family, and the search in them.

const list = document.getElementById("types"), find = document.getElementById("find"), found = document.getElementById("found");
const FAMILIES = {soft_prompt: "soft prompt", "": "by its row"};

function entry(one) {
  const address = `/method?env=${encodeURIComponent(env)}&provider=${encodeURIComponent(one.provider)}&type=${encodeURIComponent(one.type)}`;
  const rows = one.rows.length ? `rows: ${one.rows.join(", ")}` : "no row yet";
  const facts = made("small", `${one.provider} · ${one.note ? `not for a row: ${one.note}` : rows}`);
  const item = made("li", null, {}, made("a", null, {href: address}, made("b", one.type)), " ", facts);
  item.dataset.words = `${one.type} ${one.provider} ${FAMILIES[one.family] || one.family}`.toLowerCase();
  return item;
}

function family(name, types) {
  const id = `family-${name || "none"}`, items = types.filter((one) => one.family === name).map(entry);
  const title = FAMILIES[name] === undefined ? name : FAMILIES[name];
  return made("section", null, {"aria-labelledby": id}, made("h3", title, {id}), made("ul", null, {class: "choices"}, ...items));
}

function sift() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const part of list.children) {
    const items = [...part.querySelectorAll("li")];
    for (const item of items) item.hidden = !words.every((word) => item.dataset.words.includes(word));
    const left = items.filter((item) => !item.hidden).length;
    part.hidden = !left;
    shown += left;
  }
  found.textContent = `${shown} ${shown === 1 ? "type" : "types"}`;
}

async function read() {
  try {
    const {types} = await ask(`/method/types?env=${encodeURIComponent(env)}`);
    const names = [...new Set(types.map((one) => one.family))].sort((one, other) => (one === "") - (other === "") || one.localeCompare(other));
    list.replaceChildren(...names.map((name) => family(name, types)));
    sift();
  } catch (error) {
    found.textContent = error.message;
  }
}

find.addEventListener("input", sift);
read();
