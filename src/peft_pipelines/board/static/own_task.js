"use strict";
// A task of one's own: a file is sent as it is, and kedro add-task is asked what it would make of it.

const own = document.getElementById("own"), byId = (id) => document.getElementById(id);
let file = null;

async function sent(chosen) {
  byId("wrong-file").textContent = "";
  byId("facts").textContent = `Sending ${chosen.name} …`;
  try {
    const found = await answered(`/grid/own/file?name=${encodeURIComponent(chosen.name)}`, {method: "POST", body: chosen});
    file = {key: found.file, shown: chosen.name};
    tellRows(found);
  } catch (error) {
    file = null;
    byId("facts").textContent = "";
    byId("wrong-file").textContent = error.message;
  }
  byId("asked").disabled = byId("try").disabled = !file;
  byId("write").disabled = true;
}

function tellRows(found) {
  byId("facts").textContent = `${found.count.toLocaleString("en")} rows, ${found.columns.length} columns`;
  const head = made("tr", null, {}, ...found.columns.map((name) => made("th", name, {scope: "col", class: "text"})));
  const body = found.rows.map((row) => made("tr", null, {}, ...found.columns.map((name) => made("td", row[name], {class: "text"}))));
  byId("rows").replaceChildren(made("table", null, {}, made("thead", null, {}, head), made("tbody", null, {}, ...body)));
  byId("rows").hidden = false;
  own.elements.label.replaceChildren(...found.columns.map((name) => made("option", name, {value: name})));
  own.elements.label.value = found.columns.at(-1);
  if (!own.elements.input.value) own.elements.input.value = `{${found.columns[0]}}`;
}

function wanted(write) {
  const fields = own.elements, words = byId("kind").value === "label";
  return {file: file.key, shown: file.shown, name: fields.name.value.trim(), input: fields.input.value,
          label: words ? fields.label.value : "", output: words ? "" : fields.output.value, instruction: fields.instruction.value,
          group: fields.group.value, metric: fields.metric.value.trim(), sep: fields.sep.value, write};
}

// The command's text; what stands in ⟦ ⟧ is what the loss is taken of.
function marked(text) {
  return text.split(/⟦([^⟧]*[^⟧\s][^⟧]*)⟧/).map((part, place) => (place % 2 ? made("mark", part, {title: "the loss is taken of this"}) : part));
}

async function asked(write) {
  if (!own.reportValidity()) return;
  const button = byId(write ? "write" : "try");
  byId("wrong").textContent = "";
  button.disabled = true;
  byId("busy").textContent = write ? "Making the task …" : "Asking kedro add-task --dry-run …";
  try {
    const found = await ask("/grid/own/task", wanted(write));
    byId("busy").textContent = write ? "Made." : "It would make this:";
    byId("command").textContent = found.command;
    byId("answer").replaceChildren(...marked(found.said));
    byId("command").hidden = byId("answer").hidden = false;
    byId("write").disabled = write;
    byId("next").hidden = !write;
    byId("next-grid").href = `/grid?env=${encodeURIComponent(found.env)}`;
    byId("next-run").href = `/run?env=${encodeURIComponent(found.env)}`;
  } catch (error) {
    byId("busy").textContent = "Nothing was made.";
    byId("wrong").textContent = error.message;
  }
  byId("try").disabled = false;
}

byId("file").addEventListener("change", (event) => { if (event.target.files.length) sent(event.target.files[0]); });
byId("kind").addEventListener("change", (event) => {
  byId("field-label").hidden = event.target.value !== "label";
  byId("field-output").hidden = event.target.value !== "output";
});
own.addEventListener("input", () => { byId("write").disabled = true; });
own.addEventListener("submit", (event) => { event.preventDefault(); asked(false); });
byId("write").addEventListener("click", () => asked(true));
