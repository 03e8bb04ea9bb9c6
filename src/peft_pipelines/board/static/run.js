"use strict";
// The page Run: what the disk says, as the board's events tell it; buttons that start, stop and queue.

const WORDS = {starting: "Starting", running: "Running", idle: "Nothing runs", refused: "Refused"};
const byId = (id) => document.getElementById(id);

// Changes text only where it differs, so that what is selected or read stays.
function put(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function tell(found) {
  const live = found.runs.filter((run) => !run.dead), dead = found.runs.filter((run) => run.dead);
  put("state", WORDS[found.state]);
  const lines = {starting: `process ${found.process}: rows, data and models are checked`, refused: found.refused,
                 running: live.map((run) => run.line).join(" · "), idle: [...dead.map((run) => run.title), found.last].join("; ").replace(/^none has ended$/, "no run is on record")};
  put("line", lines[found.state]);
  byId("line").classList.toggle("wrong", found.state === "refused");
  const cells = live.reduce((sum, run) => sum + (run.cells || 0), 0), bar = byId("cells");
  bar.max = cells || 1;
  bar.value = live.reduce((sum, run) => sum + run.done, 0);
  const busy = found.state === "running" || found.state === "starting";
  byId("start").disabled = busy;
  byId("stop").disabled = !busy;
  byId("queue").disabled = found.queue.includes(env);
  tellDoing(live.flatMap((run) => run.doing.map((each) => ({...each, key: `${run.id} ${each.place}`}))));
  tellList("failures", "no-failures", found.failures);
  tellList("waiting", "no-queue", found.queue, (name) => {
    const out = made("button", "Take out", {type: "button", "aria-label": `Take ${name} out of the queue`});
    out.addEventListener("click", () => act("/run/unqueue", {env: name}, out, `${name} is out of the queue`));
    return [made("a", name, {href: `/run?env=${encodeURIComponent(name)}`}), " ", out];
  });
  const log = byId("log"), atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  put("log", found.log);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

// Says why nothing is known now; what stands below is as it was last.
function tellUnknown(reason) {
  put("state", "Not known");
  put("line", reason);
  byId("line").classList.add("wrong");
}

function tellDoing(doing) {
  byId("nothing").hidden = doing.length > 0;
  const cards = byId("doing"), known = new Map([...cards.children].map((card) => [card.dataset.key, card]));
  for (const each of doing) {
    let card = known.get(each.key);
    if (!card) {
      card = made("article", null, {"data-key": each.key}, made("h3"), made("p"), made("progress"), made("div"));
      cards.append(card);
    }
    known.delete(each.key);
    const [title, line, bar, picture] = card.children;
    if (title.textContent !== each.title) title.textContent = each.title;
    line.textContent = each.line.slice(each.title.length).replace(/^: /, "").replace(/^, /, "");
    bar.setAttribute("aria-label", `Steps of ${each.title}`);
    if (each.total) { bar.max = each.total; bar.value = each.done; } else bar.removeAttribute("value");
    const shape = JSON.stringify([each.losses, each.validation, each.total]);
    if (picture.dataset.shape !== shape) {
      picture.dataset.shape = shape;
      picture.replaceChildren(curve(each.losses, each.validation, each.losses.length ? each.total : 0));
    }
  }
  for (const card of known.values()) card.remove();
}

function tellList(id, none, lines, parts = (line) => [line]) {
  const list = byId(id), key = JSON.stringify(lines);
  byId(none).hidden = lines.length > 0;
  if (list.dataset.lines === key) return;
  list.dataset.lines = key;
  list.replaceChildren(...lines.map((line) => made("li", null, {}, ...parts(line))));
}

async function act(path, body, button, done) {
  const wrong = byId("wrong");
  wrong.textContent = "";
  button.disabled = true;
  try {
    await ask(path, body);
    say(done);
  } catch (error) {
    wrong.textContent = error.message;
    button.disabled = false;
  }
}

function wanted() {
  const workers = byId("workers").valueAsNumber;
  return {env, workers: Number.isNaN(workers) ? null : workers};
}

byId("run").addEventListener("submit", (event) => { event.preventDefault(); act("/run/start", wanted(), byId("start"), "Started"); });
byId("stop").addEventListener("click", () => act("/run/stop", {env}, byId("stop"), "Told to stop; it ends within seconds"));
byId("queue").addEventListener("click", () => byId("run").reportValidity() && act("/run/queue", wanted(), byId("queue"), `${env} waits in the queue`));
byId("ask-plan").addEventListener("click", async () => {
  const button = byId("ask-plan");
  button.disabled = true;
  put("plan", "Asking kedro plan …");
  try { put("plan", planned(await ask("/run/plan", {env}))); } catch (error) { put("plan", `kedro plan: ${error.message}`); }
  button.disabled = false;
});
byId("workers").addEventListener("input", () => {
  const {workers} = wanted();
  put("command", `kedro run --env=${env}${workers ? ` --workers=${workers}` : ""}`);
});
follow(`/run/events?env=${encodeURIComponent(env)}`, tell, tellUnknown);
