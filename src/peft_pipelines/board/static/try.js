"use strict";
// The page Try: questions to several cells, whose answers come in pieces, and predictions on a split.

const form = document.getElementById("question"), panel = document.getElementById("prediction");
const talks = {};

// Sends a request, and calls `tell` with each event of its answer.
async function stream(path, body, signal, tell) {
  const headers = {"Content-Type": "application/json", Accept: "application/json"};
  const answer = await fetch(`${path}?env=${encodeURIComponent(env)}`, {method: "POST", headers, body: JSON.stringify(body), signal});
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || "The board refused this.");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "";;) {
    const {value, done} = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    events.filter((one) => one.startsWith("data: ")).forEach((one) => tell(JSON.parse(one.slice(6))));
  }
}

function options(name) {
  const given = [...document.querySelectorAll(`[data-options="${name}"] input`)].filter((one) => one.value !== "");
  return Object.fromEntries(given.map((one) => [one.name, Number(one.value)]));
}

function chosen(name) {
  return [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((one) => one.value);
}

// Runs one request at a time of a form: its button waits, its stop button stops it, and errors are said in words.
function runner(start, stop, wrong, run) {
  let under = null;
  stop.addEventListener("click", () => under && under.abort());
  return async () => {
    if (under) return;
    under = new AbortController();
    wrong.textContent = "";
    start.disabled = true;
    stop.disabled = false;
    try {
      await run(under.signal);
    } catch (error) {
      if (error.name !== "AbortError") {
        wrong.textContent = error instanceof TypeError ? "The board does not answer: is kedro board still running?" : error.message;
      } else say("Stopped.");
    }
    const kept = document.activeElement === stop || document.activeElement === document.body;
    under = null;
    start.disabled = false;
    stop.disabled = true;
    if (kept) start.focus();
  };
}

// ---- questions ----

function column(cell) {
  const place = document.getElementById("answers");
  let found = [...place.children].find((one) => one.dataset.cell === cell);
  if (!found) {
    found = made("article", null, {"data-cell": cell, "aria-label": cell}, made("h3", cell));
    place.append(found);
  }
  return found;
}

function shownCommand(lines) {
  return [made("h3", "The same in a terminal"), made("pre", lines.join("\n"))];
}

async function asked(signal) {
  const cells = [...chosen("cell"), ...chosen("untuned")], text = document.getElementById("text").value;
  const instruction = form.elements.way.value === "instruction", wrong = document.getElementById("wrong");
  if (!chosen("cell").length) throw new Error("Choose at least one cell that answers.");
  if (instruction) document.getElementById("answers").replaceChildren();
  const open = {};
  for (const cell of cells) {
    const said = made("p", "", {class: "said", dir: "auto", "aria-busy": "true", "aria-live": "polite"});
    const facts = made("p", "waits …", {class: "note"}), seen = made("details", null, {class: "seen"}, made("summary", "The prompt as the model sees it"));
    column(cell).append(made("p", text, {class: "asked", dir: "auto"}), said, facts, seen);
    open[cell] = {said, facts, seen, text: ""};
  }
  const close = (cell, words) => {
    open[cell].facts.textContent = words;
    open[cell].said.setAttribute("aria-busy", "false");
    delete open[cell];
  };
  const said = instruction ? [] : cells.filter((cell) => talks[cell]);
  const earlier = Object.fromEntries(said.map((cell) => [cell, talks[cell]]));
  const body = {cells, text, instruction, options: options("ask"), talks: earlier};
  try {
    await stream("/try/ask", body, signal, (event) => {
      const one = open[event.cell];
      if (event.event === "commands") document.getElementById("command").replaceChildren(...shownCommand(event.lines));
      if (event.event === "begun") Object.values(open).forEach((each) => { each.facts.textContent = "reads the model …"; });
      if (event.event === "failed" && !one) wrong.textContent = event.message;
      if (!one) return;
      if (event.event === "prompt") {
        one.seen.append(made("pre", event.text, {dir: "auto"}));
        one.facts.textContent = `${event.tokens} tokens of prompt${event.virtual ? ` and ${event.virtual} of the method's own` : ""} …`;
      }
      if (event.event === "piece") {
        one.text += event.text;
        one.said.textContent = one.text;
      }
      if (event.event === "failed") close(event.cell, event.message);
      if (event.event === "answered") {
        if (!one.text) one.said.textContent = "(nothing)";
        if (!instruction) talks[event.cell] = [...(talks[event.cell] || []), {role: "user", content: text}, {role: "assistant", content: one.text}];
        close(event.cell, `${event.new_tokens} tokens in ${event.seconds.toFixed(2)} s${event.stopped ? "" : ", cut off at the most tokens"}`);
      }
    });
  } finally {
    Object.keys(open).forEach((cell) => close(cell, "stopped"));
  }
}

function limited() {
  const ticked = [...form.querySelectorAll('input[name="cell"]:checked')], model = ticked.length ? ticked[0].dataset.model : null;
  form.querySelectorAll('input[name="cell"]').forEach((one) => { one.disabled = model !== null && one.dataset.model !== model; });
}

// ---- predictions ----

async function predicted(signal) {
  const values = Object.fromEntries(new FormData(panel)), place = document.getElementById("scores"), far = document.getElementById("far");
  const body = {cell: values.cell, split: values.split, rows: Number(values.rows), options: options("predict")};
  place.replaceChildren();
  far.textContent = "reads the model …";
  let command = [], failed = null;
  try {
    await stream("/try/predict", body, signal, (event) => {
      if (event.event === "commands") command = event.lines;
      if (event.event === "step") far.textContent = `${event.done} of ${event.total} rows answered`;
      if (event.event === "failed") failed = event.message;
      if (event.event === "scores") place.replaceChildren(...shownScores(event, values.split), ...shownCommand(command));
    });
    if (failed) throw new Error(failed);
  } catch (error) {
    far.textContent = "";
    throw error;
  }
}

function shownScores(event, split) {
  const recorded = event.table.some((line) => line[2]);
  const heads = ["metric", "with these values", ...(recorded ? ["the answers on record"] : [])];
  const table = made("table", null, {class: "stacked"}), head = made("tr");
  heads.forEach((text) => head.append(made("th", text, {scope: "col"})));
  table.createTHead().append(head);
  const lines = table.createTBody();
  event.table.forEach((texts) => {
    const line = lines.insertRow();
    line.append(made("th", texts[0], {scope: "row"}), ...texts.slice(1, heads.length).map((text, place) => made("td", text, {"data-head": heads[place + 1]})));
  });
  const answers = made("details", null, {}, made("summary", `The first ${event.answers.length} answers`));
  event.answers.forEach((row, place) => answers.append(shownAnswer(row, place)));
  return [
    made("p", `Not the benchmark's scores: the first rows of the ${split} split, decoded as chosen above.`, {class: "warning"}),
    made("div", null, {class: "scroll", tabindex: "0", role: "region", "aria-label": "Scores of these answers"}, table),
    answers,
  ];
}

function shownAnswer(row, place) {
  const list = made("dl", null, {class: "pairs"});
  row.right.forEach((text, number) => list.append(made("dt", number ? "or" : "right"), made("dd", text, {dir: "auto"})));
  list.append(made("dt", "answer"), made("dd", row.said || "(nothing)", {dir: "auto"}));
  return made("article", null, {}, made("h4", `Row ${place + 1}, ${row.new_tokens} tokens`), made("p", row.prompt, {class: "prompt", dir: "auto"}), list);
}

if (form) {
  const by = (id) => document.getElementById(id);
  const send = runner(by("send"), by("stop"), by("wrong"), asked);
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  form.addEventListener("change", limited);
  form.addEventListener("invalid", (event) => {  // what is closed can show no mistake
    const around = event.target.closest("details");
    if (around) around.open = true;
  }, true);
  by("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  by("fresh").addEventListener("click", () => {
    Object.keys(talks).forEach((cell) => delete talks[cell]);
    by("answers").replaceChildren();
    by("text").focus();
    say("A new conversation begins.");
  });
  by("release").addEventListener("click", () => ask("/try/release", {}).then(() => say("The model's memory is free."), (error) => say(error.message)));
  by("find").addEventListener("input", () => {
    const part = by("find").value.trim().toLowerCase();
    form.querySelectorAll('input[name="cell"]').forEach((one) => {
      one.closest("label").hidden = !one.value.toLowerCase().includes(part) && !one.checked;
    });
  });
  const predict = runner(panel.querySelector("button.main"), by("halt"), by("failed"), predicted);
  panel.addEventListener("submit", (event) => { event.preventDefault(); predict(); });
  limited();
}
