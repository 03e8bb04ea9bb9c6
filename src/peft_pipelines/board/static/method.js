"use strict";
// The page of a method's row: what is typed is shown as the environment's files at once, each mistake at its field.

const form = document.getElementById("method");
const QUICK = 250;
let asked = 0, soon;

// What a form of this page says, be it shown or only read.
function filled(form) {
  const texts = {row: {}, config: {}, training: {}};
  for (const field of form.querySelectorAll("[data-field]")) texts[field.dataset.section][field.dataset.field] = field.value;
  const {env, seen, row, provider, type} = form.dataset, named = (name) => (form.elements[name] ? form.elements[name].value.trim() : "");
  return {env, seen, row, provider, type, name: named("name"), new: named("new"), texts};
}

function fieldOf(key) {
  return key.includes(".") ? document.getElementById(key) : form.elements[key];
}

// Shows the mistakes; a line that stays the same is left alone, so that no screen reader says it again.
function tellWrong(wrong) {
  for (const line of form.querySelectorAll(".wrong")) {
    const key = line.id.slice("wrong-".length), text = wrong[key] || "", field = fieldOf(key);
    if (key !== "save" && line.textContent !== text) line.textContent = text;
    if (!(field instanceof HTMLElement)) continue;
    if (text) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
  }
}

function tellState() {
  for (const row of form.querySelectorAll(".setting[data-begun]")) {
    const field = row.querySelector("[data-field]"), usual = row.querySelector(".usual");
    row.classList.toggle("changed", field.value !== row.dataset.begun);
    row.querySelector(".reset").disabled = field.value === row.dataset.begun;
    if (usual) usual.disabled = field.value === row.dataset.usual;
  }
}

function tellFiles(files) {
  const parts = Object.entries(files).flatMap(([name, text]) => [made("h4", name), made("pre", text, {tabindex: "0"})]);
  document.getElementById("files").replaceChildren(...parts);
}

async function preview() {
  const mine = ++asked, line = document.getElementById("changes");
  try {
    const found = await ask("/method/preview", filled(form));
    if (mine !== asked) return;
    tellWrong(found.wrong);
    const mistakes = Object.values(found.wrong);
    if (mistakes.length) {
      line.textContent = mistakes.length === 1 ? mistakes[0] : `${mistakes.length} mistakes; the first: ${mistakes[0]}`;
      return;
    }
    line.textContent = found.changed.length ? `To be written: ${found.changed.join(", ")}.` : "Nothing changes.";
    document.getElementById("command").textContent = found.command;
    tellFiles(found.files);
  } catch (error) {
    if (mine === asked) line.textContent = error.message;
  }
}

// Opens what hides a field, and gives it the focus.
function goTo(key) {
  const field = fieldOf(key) || document.getElementById(`wrong-${key}`);
  if (!field) return;
  find.value = "";
  differing.checked = false;
  sift();
  for (let around = field.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  if (!field.matches("input, select, textarea")) field.tabIndex = -1;
  field.focus();
}

async function save() {
  const button = document.getElementById("save"), failed = document.getElementById("wrong-save");
  button.disabled = true;
  failed.textContent = "";
  say("Trying the row on the models of the grid, without weights …");
  try {
    const found = await ask("/method/save", filled(form)), mistakes = Object.keys(found.wrong);
    tellWrong(found.wrong);
    button.disabled = false;
    if (mistakes.length) {
      say(mistakes.length === 1 ? "One mistake: nothing was written." : `${mistakes.length} mistakes: nothing was written.`);
      const order = [...form.querySelectorAll(".wrong")].map((line) => line.id.slice("wrong-".length));
      goTo(order.find((key) => mistakes.includes(key)) || mistakes[0]);
      return;
    }
    form.dataset.seen = found.seen;
    const tried = found.tried.length ? `tried on ${found.tried.join(", ")}` : "not tried: the files of no model of the grid are here";
    say(`Written: ${found.files.join(", ")} (${tried})`);
    if (found.env !== env || found.row !== form.dataset.row) {
      location.assign(`/method?env=${encodeURIComponent(found.env)}&row=${encodeURIComponent(found.row)}`);
      return;
    }
    preview();
  } catch (error) {
    say("Nothing was written.");
    failed.textContent = error.message;
    button.disabled = false;
  }
  button.focus();
}

// Sets a field to a text, as typing would; the focus goes to the field, since the button is of no use then.
function set(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("input", {bubbles: true}));
  field.focus();
}

const find = document.getElementById("find"), differing = document.getElementById("differing");

// Hides the fields that are not looked for.
function sift() {
  const word = find.value.trim().toLowerCase();
  let shown = 0;
  for (const row of form.querySelectorAll(".setting")) {
    const field = row.querySelector("[data-field]"), name = row.firstElementChild.textContent.toLowerCase();
    row.hidden = !name.includes(word) || (differing.checked && !(field && field.value));
    shown += row.hidden ? 0 : 1;
    if (word && !row.hidden) for (let a = row.closest("details"); a; a = a.parentElement.closest("details")) a.open = true;
  }
  document.getElementById("found").textContent = word || differing.checked ? `${shown} ${shown === 1 ? "field" : "fields"}` : "";
}

form.addEventListener("input", (event) => {
  if (event.target === find || event.target === differing) { sift(); return; }
  tellState();
  clearTimeout(soon);
  soon = setTimeout(preview, QUICK);
});
form.addEventListener("click", (event) => {
  const row = event.target.closest(".setting");
  if (event.target.matches(".reset")) set(row.querySelector("[data-field]"), row.dataset.begun);
  if (event.target.matches(".usual")) set(row.querySelector("[data-field]"), row.dataset.usual);
});
form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
tellState();
if (form.dataset.row) preview();
