"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

function element(tag, text, attributes) {
  const made = Object.assign(document.createElement(tag), attributes || {});
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function table(heads, rows) {
  const made = element("table");
  made.createTHead().append(element("tr"));
  heads.forEach((head) => made.tHead.rows[0].append(element("th", head, { scope: "col" })));
  const body = made.createTBody();
  rows.forEach((row) => {
    const line = body.insertRow();
    row.forEach((value, place) => line.append(place ? element("td", value) : element("th", value, { scope: "row" })));
  });
  return made;
}

/* ---- plots ---- */

const INK = "#1a1a1a", NARROW = 800, LETTER = 7.5, SIDES = 260, PAPER = 680;
const drawn = new Map();

/* a plot has room for its names: on a narrow screen it is wider than that and moves sideways */
function draw(place, figure, paper) {
  const font = { color: INK, size: 13, family: "system-ui, sans-serif" };
  const width = paper || (place.clientWidth < NARROW ? NARROW : undefined);
  const layout = Object.assign({}, figure.layout, { autosize: !width, width, font });
  if (layout.height) place.style.minHeight = `${layout.height}px`;
  drawn.set(place, figure);
  return Plotly.react(place, figure.data, fitted(layout, width || place.clientWidth),
                      { responsive: true, displaylogo: false, displayModeBar: false });
}

/* titles of axes across are broken to the plot's width */
function fitted(layout, width) {
  const axes = Object.entries(layout).filter(([name, axis]) => name.startsWith("xaxis") && axis.title && axis.title.text);
  const texts = axes.map(([, axis]) => wrapped(axis.title.text, Math.floor((width - SIDES) / LETTER)));
  const lines = Math.max(1, ...texts.map((text) => text.split("<br>").length));
  const made = axes.map(([name, axis], place) =>
    [name, Object.assign({}, axis, { title: Object.assign({}, axis.title, { text: texts[place] }) })]);
  const margin = Object.assign({}, layout.margin, lines > 1 && { b: 60 + 18 * lines });
  return Object.assign({}, layout, Object.fromEntries(made),
                       { margin, height: layout.height && layout.height + 18 * (lines - 1) });
}

function wrapped(text, letters) {
  return text.split(" ").reduce((lines, word) => {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length < letters) lines[lines.length - 1] = `${last} ${word}`; else lines.push(word);
    return lines;
  }, []).join("<br>");
}

/* on paper nothing is closed, and plots and tables are as wide as the page */
const closed = [];
addEventListener("beforeprint", () => {
  closed.push(...document.querySelectorAll("main details:not([open])"));
  closed.forEach((one) => { one.open = true; });
  drawn.forEach((figure, place) => place.isConnected && draw(place, figure, PAPER));
  document.querySelectorAll("table.scores").forEach((one) => { one.style.zoom = Math.min(1, PAPER / one.scrollWidth); });
});
addEventListener("afterprint", () => {
  closed.splice(0).forEach((one) => { one.open = false; });
  drawn.forEach((figure, place) => place.isConnected && draw(place, figure));
  document.querySelectorAll("table.scores").forEach((one) => { one.style.zoom = ""; });
});

document.querySelectorAll("[data-figures]").forEach((place) => {
  const choice = document.getElementById(place.dataset.figures);
  const show = () => draw(place, data.figures[choice.value]);
  choice.addEventListener("change", show);
  if (choice.options.length) show(); else place.textContent = "No costs were measured.";
});
document.querySelectorAll("[data-figure]").forEach((place) => draw(place, data.figures[place.dataset.figure]));

/* ---- what stands behind the cells: gzip in letters, opened when it is first asked for ---- */

let opened;

function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function details() {
  opened = opened || unpack("details");
  return opened;
}

/* ---- one cell ---- */

const dialog = document.getElementById("detail"), seeds = document.getElementById("seed");

function group(name, lines) {
  const made = element("section"), list = element("dl");
  Object.entries(lines).forEach(([key, text]) => list.append(element("dt", key), element("dd", text)));
  made.append(element("h3", name), list);
  return made;
}

function answer(row, place, shared) {
  const made = element("article"), right = shared[row.references];
  const score = row.score <= -1e9 ? "no number" : row.score;
  made.append(element("h4", `${place + 1}. score ${score}`), element("p", shared[row.prompt], { className: "prompt" }));
  const list = element("dl");
  right.forEach((text, number) => list.append(element("dt", number ? "or" : "right"), element("dd", text)));
  list.append(element("dt", "answer"), element("dd", row.prediction || "(nothing)"));
  made.append(list);
  return made;
}

function losses(curve) {
  const trace = (key, name, dash, symbol) => {
    const points = curve.filter((one) => one[key] !== undefined && one[key] !== null);
    return { x: points.map((one) => one.step), y: points.map((one) => one[key]), name, mode: "lines+markers",
             line: { dash, color: INK }, marker: { symbol, color: INK, size: points.length > 40 ? 4 : 7 } };
  };
  return { data: [trace("loss", "training", "solid", "circle-open"), trace("validation_loss", "validation", "dot", "diamond")],
           layout: { xaxis: { title: { text: "step" }, rangemode: "tozero" }, yaxis: { title: { text: "loss" } }, height: 280,
                     margin: { t: 10, r: 10, b: 45, l: 55 } } };
}

function fill(body, detail, shared) {
  const config = Object.fromEntries(Object.entries(detail.config).map(([name, place]) => [name, shared[place]]));
  const facts = element("div", null, { className: "facts" });
  Object.entries(detail.facts).forEach(([name, lines]) => facts.append(group(name, lines)));
  body.replaceChildren(facts);
  if (detail.confusion.length) {
    const scroll = element("div", null, { className: "scroll" });
    scroll.append(table(detail.confusion[0], detail.confusion.slice(1)));
    body.append(element("h3", "Answers by label"), scroll);
  }
  if (detail.curve.length) {
    const place = element("div", null, { className: "plot" });
    body.append(element("h3", "Loss while training"), place);
    requestAnimationFrame(() => draw(place, losses(detail.curve)));
  }
  if (detail.lr_search.length > 1) {
    body.append(element("h3", "Learning rates tried (chosen on validation)"));
    body.append(table(["learning rate", "validation loss", "seconds", "chosen"], detail.lr_search.map((trial) =>
      [trial.learning_rate, trial.validation_loss === null ? "diverged" : trial.validation_loss.toPrecision(5),
       trial.seconds.toFixed(1), trial.chosen ? "yes" : ""])));
  }
  if (detail.predictions.length) {
    body.append(element("h3", `Answers, the worst first (${detail.predictions.length} of ${detail.items})`));
    body.append(element("p", `Each was asked with this before it: ${config.task.instruction}`, { className: "note" }));
  }
  detail.predictions.forEach((row, place) => body.append(answer(row, place, shared)));
  body.append(element("h3", "Run it again"), element("pre", detail.command));
  const all = element("details");
  all.append(element("summary", "Everything that decided it"), element("pre", JSON.stringify(config, null, 2)));
  body.append(all);
}

async function inspect(id) {
  const body = dialog.querySelector("div");
  dialog.querySelector("h2").textContent = id.split(".").join(" · ");
  if (!dialog.open) dialog.showModal();
  if (!window.DecompressionStream) {
    body.replaceChildren(element("p", "This browser is too old to unpack what stands behind the cells (it lacks DecompressionStream)."));
    return;
  }
  const { cells, shared } = await details();
  if (cells[id]) fill(body, cells[id], shared);
  else body.replaceChildren(element("p", "The files of this cell are not there any more; its numbers are."));
  body.scrollTop = 0;
}

function choose(ids) {
  seeds.replaceChildren(...ids.map((id) => element("option", id.split(".").pop(), { value: id })));
  seeds.parentElement.hidden = ids.length < 2;
  return inspect(ids[0]);
}

seeds.addEventListener("change", () => inspect(seeds.value));
document.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-cells]");
  if (cell) choose(cell.dataset.cells.split(" "));
  if (event.target === dialog) dialog.close();
});
document.getElementById("close").addEventListener("click", () => dialog.close());

/* arrow keys walk the table of scores */
document.querySelectorAll("table.scores").forEach((scores) => scores.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const here = event.target.closest("td");
  if (!steps || !here) return;
  const rows = [...scores.tBodies[0].rows];
  let line = rows.indexOf(here.parentElement), column = here.cellIndex;
  for (;;) {
    line += steps[0]; column += steps[1];
    const next = rows[line] && rows[line].cells[column];
    if (!rows[line] || (steps[1] && !next)) return;
    const button = next && next.querySelector("button");
    if (button) { button.focus(); event.preventDefault(); return; }
  }
}));

/* ---- the metric of the scores and the differences ---- */

function fillCell(place, [number, behind, marks, kind, spoken]) {
  const inside = place.querySelector("button") || place;
  place.className = kind;
  inside.replaceChildren(element("b", number));
  if (marks) inside.append(element("span", marks, { className: "mark" }));
  behind.forEach((text) => inside.append(element("small", text)));
  if (inside !== place) inside.setAttribute("aria-label", spoken);
}

function fillScores(scores, shown, own) {
  [...scores.tHead.rows[0].cells].slice(1, -1).forEach((head, column) => {
    head.querySelector("small").textContent = shown.metrics[column];
  });
  [...scores.tBodies[0].rows].filter((row) => !row.classList.contains("family")).forEach((row, line) => {
    shown.cells[line].forEach((cell, column) => fillCell(row.cells[column + 1], cell || own.cells[line][column]));
    row.cells[row.cells.length - 1].textContent = shown.means[line];
  });
}

function fillGroups(body, groups) {
  body.replaceChildren(...groups.map(([task, least, members]) => {
    const row = element("tr"), listed = element("td", null, { className: "text" });
    members.forEach(([name, letters]) => {
      const member = element("span", `${name} `, { className: "member" });
      member.append(element("sup", letters));
      listed.append(member, " ");
    });
    const size = element("td", least);
    size.dataset.head = "would show";
    listed.dataset.head = "best first";
    row.append(element("th", task, { scope: "row" }), size, listed);
    return row;
  }));
}

const metric = document.getElementById("metric");
if (metric && !window.DecompressionStream) metric.disabled = true;
if (metric) metric.addEventListener("change", async () => {
  const views = await unpack("views"), shown = views[metric.value], own = views[""];
  document.querySelectorAll("table.scores").forEach((scores) =>
    fillScores(scores, shown[scores.dataset.model], own[scores.dataset.model]));
  document.querySelectorAll("[data-groups]").forEach((body) => fillGroups(body, shown[body.dataset.groups].groups));
});

/* ---- PSCP ---- */

function penalised(row, constants, absolute) {
  const compute = absolute ? row.tflop : row.tflop - row.base_tflop;
  const factors = [
    Math.pow(1 + row.parameters / constants.c_p, -constants.beta_p),
    Math.pow(1 + compute / constants.c_f, -constants.beta_f),
    Math.pow(1 + row.memory_gb / constants.c_m, -constants.beta_m),
  ];
  return { method: row.method, score: row.score, factors, pscp: factors.reduce((a, b) => a * b, row.score) };
}

function ranked(rows, constants, absolute) {
  return rows.map((row) => penalised(row, constants, absolute)).sort((a, b) => b.pscp - a.pscp);
}

/* 1 where the first is above, -1 where it is below, 0 where they tie */
function order(one, other) {
  const difference = one.pscp - other.pscp;
  const rounding = 1e-9 * Math.max(Math.abs(one.pscp), Math.abs(other.pscp));
  return Math.abs(difference) <= rounding ? 0 : Math.sign(difference);
}

function placed(row, rows) {
  const above = rows.filter((other) => order(other, row) > 0).length;
  const tied = rows.filter((other) => order(other, row) === 0).length > 1;
  return `${above + 1}${tied ? " (tied)" : ""}`;
}

function flips(before, after) {
  const usual = new Map(before.map((row) => [row.method, row]));
  const found = [];
  after.forEach((upper, place) => after.slice(place + 1).forEach((lower) => {
    const was = order(usual.get(upper.method), usual.get(lower.method)), is = order(upper, lower);
    if (was !== is) found.push(`${upper.method} now ${is ? "stands above" : "ties with"} ${lower.method}`);
  }));
  return found;
}

document.querySelectorAll("[data-pscp]").forEach((section) => {
  const rows = data.pscp[section.dataset.pscp];
  const place = section.querySelector(".pscp"), note = section.querySelector("[role=status]");
  const inputs = [...section.querySelectorAll("input[type=range]")];
  const absolute = section.querySelector("input[type=checkbox]");
  const show = () => {
    const constants = {};
    inputs.forEach((input) => {
      constants[input.name] = input.dataset.log ? Math.pow(10, Number(input.value)) : Number(input.value);
      input.nextElementSibling.textContent = Number(constants[input.name].toPrecision(3)).toLocaleString("en");
    });
    const now = ranked(rows, constants, absolute.checked), usual = ranked(rows, data.constants, false);
    place.replaceChildren(table(["method", "place", "score", "f_p", "f_F", "f_M", "PSCP"], now.map((row) =>
      [row.method, placed(row, now), row.score.toFixed(1), ...row.factors.map((value) => value.toFixed(4)), row.pscp.toFixed(2)])));
    const changed = flips(usual, now);
    note.textContent = changed.length ? `Against the run's own constants: ${changed.slice(0, 8).join("; ")}` +
      (changed.length > 8 ? `; and ${changed.length - 8} more.` : ".") : "The order is that of the run's own constants.";
  };
  [...inputs, absolute].forEach((input) => input.addEventListener("input", show));
  section.querySelector("button").addEventListener("click", () => {
    inputs.forEach((input) => { input.value = input.defaultValue; });
    absolute.checked = false;
    show();
  });
  show();
});
