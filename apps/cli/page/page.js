// @ts-check
/**
 * The status page. Asks `/cluster` of the node that served it, once a second,
 * and shows what came, how old it is, and who said it. When nothing comes, what
 * is shown turns grey: a page that goes on smiling during a partition lies.
 */

/** @typedef {{ name: string, role: string, term: number, leader: string | null, commitIndex: number, appliedIndex: number, voters: string[], figures: Record<string, number> }} Group */
/** @typedef {{ name: string, version: string, healthy: boolean, reason: string, uptimeMs: number, peers: Record<string, boolean>, groups: Group[], counters: Record<string, number> }} Report */
/** @typedef {{ name: string, http: string, services: Record<string, string>, report?: Report, reason?: string }} Member */
/** @typedef {{ answeredBy: string, clusterId: string, version: string, members: Member[] }} Cluster */
/** @typedef {{ member: Member, report: Report, group: Group }} View */

const POLL_MS = 1000;
const STALE_MS = 3000;
const MOST_EVENTS = 50;
/** Samples that a rate is taken over. */
const RATE_SAMPLES = 6;

/** @type {Cluster | undefined} */
let latest;
let latestMs = 0;
/** Why the last question was not answered; "" if it was. */
let failure = "";
/** Leader of each group, as last seen. @type {Map<string, { leader: string, term: number }>} */
const leaders = new Map();
/** Names of the nodes that answered, as last seen. @type {Set<string> | undefined} */
let answering;
/** @type {Map<string, { atMs: number, value: number }[]>} */
const samples = new Map();

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`${id} is not in the page`);
  return element;
}

/**
 * @param {string} tag
 * @param {string} text
 * @param {string} [className]
 */
function make(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className !== "") element.className = className;
  return element;
}

async function poll() {
  try {
    const response = await fetch("/cluster", { signal: AbortSignal.timeout(2500) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    latest = await response.json();
    latestMs = performance.now();
    failure = "";
    if (latest !== undefined) show(latest);
  } catch {
    failure = "no answer";
  }
  showFreshness();
  setTimeout(poll, POLL_MS);
}

/** @param {Cluster} cluster */
function show(cluster) {
  const { answeredBy, clusterId, version, members } = cluster;
  byId("cluster").textContent = `cluster ${clusterId}, version ${version}`;
  const names = [
    ...new Set(members.flatMap(({ report }) => report?.groups ?? []).map((g) => g.name)),
  ];
  const summaries = names.map((name) => summary(name, members));
  noteChanges(summaries, members);
  showVerdict(summaries, members);
  showFigures(summaries, members);
  byId("members").replaceChildren(
    ...members.flatMap((member) => rows(member, summaries, answeredBy)),
  );
}

/**
 * What the nodes that answer make of a group.
 * @param {string} name
 * @param {Member[]} members
 */
function summary(name, members) {
  /** @type {View[]} */
  const views = members.flatMap((member) => {
    const group = member.report?.groups.find((each) => each.name === name);
    return member.report === undefined || group === undefined
      ? []
      : [{ member, report: member.report, group }];
  });
  const leading = views.filter(({ group }) => group.role === "leader");
  const newest = leading.toSorted((a, b) => b.group.term - a.group.term)[0];
  const { term, voters } = (newest ?? views[0]).group;
  const leader = newest?.member.name;
  const able = views.filter(
    ({ member, report, group }) =>
      report.healthy &&
      voters.includes(member.name) &&
      group.leader === leader &&
      group.term === term,
  ).length;
  const needed = Math.floor(voters.length / 2) + 1;
  const commit = Math.max(...views.map(({ group }) => group.commitIndex));
  const works = leader !== undefined && able >= needed;
  const figures = (newest ?? views[0]).group.figures;
  return { name, leader, term, voters, able, spare: able - needed, commit, works, figures };
}

/** @typedef {ReturnType<typeof summary>} Summary */

/**
 * @param {Summary[]} summaries
 * @param {Member[]} members
 */
function showVerdict(summaries, members) {
  const verdict = byId("verdict");
  const broken = summaries.filter(({ works }) => !works);
  const silent = members.filter(({ report }) => report === undefined);
  const spare = Math.min(...summaries.map((each) => each.spare));
  const alone = members.length === 1;
  if (broken.length > 0 || summaries.length === 0) {
    verdict.className = "bad";
    const [one] = broken;
    const why = broken.length === 0 || one.leader === undefined ? "no leader" : "too few nodes";
    verdict.textContent = `No quorum: ${why}. Writes wait.`;
  } else if (spare === 0) {
    verdict.className = alone ? "good" : "warn";
    verdict.textContent = alone ? "Working, on one node" : "Working, but no node can be lost";
  } else {
    verdict.className = "good";
    const nodes = spare === 1 ? "1 more node" : `${spare} more nodes`;
    verdict.textContent = `Working; ${nodes} can be lost`;
  }
  byId("explanation").textContent =
    silent.length === 0
      ? `All ${members.length} members answer.`
      : `Not answering: ${silent.map(({ name, reason }) => `${name} (${reason})`).join(", ")}.`;
}

/**
 * @param {Summary[]} summaries
 * @param {Member[]} members
 */
function showFigures(summaries, members) {
  /** @type {[string, string][]} */
  const figures = [];
  const several = summaries.length > 1;
  for (const { name, leader, term, commit, figures: own } of summaries) {
    const prefix = several ? `${name} ` : "";
    figures.push([`${prefix}leader`, leader ?? "none"], [`${prefix}term`, String(term)]);
    figures.push([`${prefix}commit index`, count(commit)]);
    figures.push([`${prefix}entries/s`, rate(`${name} commit`, commit)]);
    if (own.revision !== undefined) {
      figures.push(["revision", count(own.revision)]);
      figures.push(["changes/s", rate(`${name} revision`, own.revision)]);
      figures.push(["keys", count(own.keys)], ["watchers", String(sum(members, name, "watchers"))]);
    }
  }
  const bytes = members.reduce((all, { report }) => all + (report?.counters.logBytes ?? 0), 0);
  const silent = members.some(({ report }) => report === undefined);
  figures.push(["log, all nodes", silent ? "–" : `${rate("log bytes", bytes, size)}/s`]);
  byId("figures").replaceChildren(
    ...figures.map(([term, value]) => {
      const pair = document.createElement("div");
      pair.append(make("dt", term), make("dd", value));
      return pair;
    }),
  );
}

/**
 * @param {Member[]} members
 * @param {string} name
 * @param {string} figure
 */
function sum(members, name, figure) {
  const groups = members.flatMap(({ report }) => report?.groups ?? []);
  return groups
    .filter((group) => group.name === name)
    .reduce((all, { figures }) => all + (figures[figure] ?? 0), 0);
}

/**
 * Per second, over the last samples; a counter that falls back begins anew.
 * @param {string} key
 * @param {number} value
 * @param {(value: number) => string} [word]
 */
function rate(key, value, word = decimal) {
  const atMs = performance.now();
  let list = samples.get(key) ?? [];
  if (list.some((sample) => sample.value > value)) list = [];
  list = [...list, { atMs, value }].slice(-RATE_SAMPLES);
  samples.set(key, list);
  const first = list[0];
  if (list.length < 2) return "–";
  return word(((value - first.value) / (atMs - first.atMs)) * 1000);
}

/**
 * One row for each group of a member. Roles are spelled out since the narrow
 * layout takes the display of a table away, and with it its meaning.
 * @param {Member} member
 * @param {Summary[]} summaries
 * @param {string} answeredBy
 */
function rows(member, summaries, answeredBy) {
  const { name, report, reason, http, services } = member;
  const head = make("th", name);
  head.setAttribute("scope", "row");
  head.setAttribute("role", "rowheader");
  if (name === answeredBy) head.append(" ", make("span", "this page", "note"));
  const places = [["http", http], ...Object.entries(services)];
  const addresses = cell("Addresses", "", "addresses");
  addresses.append(...places.map(([purpose, address]) => make("div", `${purpose} ${address}`)));
  const row = document.createElement("tr");
  row.setAttribute("role", "row");
  if (report === undefined) {
    const health = cell("Health", "", "");
    health.append(make("span", "unreachable", "bad"), make("div", reason ?? "", "note"));
    const blanks = Array.from({ length: 7 }, () => cell("", "", ""));
    row.append(head, health, ...blanks, addresses);
    return [row];
  }
  return report.groups.map((group) => {
    const commit = summaries.find((each) => each.name === group.name)?.commit ?? group.commitIndex;
    const role = cell("Role", "", "");
    role.append(make("span", group.role, `role ${group.role}`));
    const health = cell("Health", "", "");
    health.append(
      make("span", report.healthy ? "ok" : report.reason, report.healthy ? "good" : "bad"),
    );
    const each = row.cloneNode();
    if (!(each instanceof HTMLElement)) return row;
    each.append(
      head.cloneNode(true),
      health,
      role,
      cell("Term", String(group.term), "number"),
      cell("Commit", count(group.commitIndex), "number"),
      cell("Applied", count(group.appliedIndex), "number"),
      cell("Lag", count(Math.max(0, commit - group.appliedIndex)), "number"),
      peersCell(report.peers),
      cell("Uptime", duration(report.uptimeMs), "number"),
      addresses.cloneNode(true),
    );
    return each;
  });
}

/** @param {Record<string, boolean>} peers */
function peersCell(peers) {
  const element = cell("Sends to", "", "");
  const entries = Object.entries(peers);
  if (entries.length === 0) element.append("nobody");
  for (const [peer, up] of entries) {
    element.append(make("span", up ? peer : `not ${peer}`, up ? "" : "bad"), " ");
  }
  return element;
}

/**
 * @param {string} label
 * @param {string} text
 * @param {string} className
 */
function cell(label, text, className) {
  const element = make("td", text, className);
  element.dataset.label = label;
  element.setAttribute("role", "cell");
  return element;
}

/**
 * @param {Summary[]} summaries
 * @param {Member[]} members
 */
function noteChanges(summaries, members) {
  for (const { name, leader, term } of summaries) {
    const before = leaders.get(name);
    if (leader === undefined || (before?.leader === leader && before.term === term)) continue;
    leaders.set(name, { leader, term });
    if (before !== undefined) tell(`${leader} leads ${name} in term ${term}`);
  }
  const now = new Set(members.filter(({ report }) => report !== undefined).map(({ name }) => name));
  const before = answering;
  answering = now;
  if (before === undefined) return;
  for (const name of before) if (!now.has(name)) tell(`${name} does not answer`);
  for (const name of now) if (!before.has(name)) tell(`${name} answers again`);
}

/** @param {string} text */
function tell(text) {
  byId("announcer").textContent = text;
  byId("no-events").hidden = true;
  const item = document.createElement("li");
  item.append(make("time", new Date().toTimeString().slice(0, 8)), text);
  const list = byId("events");
  list.prepend(item);
  while (list.children.length > MOST_EVENTS) list.lastElementChild?.remove();
}

let wasStale = false;

function showFreshness() {
  const badge = byId("freshness");
  if (latest === undefined) {
    badge.textContent = failure === "" ? "not yet answered" : "this node does not answer";
    badge.classList.toggle("stale", failure !== "");
    return;
  }
  const ageMs = performance.now() - latestMs;
  const stale = ageMs > STALE_MS;
  document.body.classList.toggle("stale", stale);
  badge.classList.toggle("stale", stale);
  badge.textContent = stale
    ? `stale: ${latest.answeredBy} last answered ${duration(ageMs)} ago`
    : `answered by ${latest.answeredBy}`;
  if (stale) {
    byId("verdict").textContent = `Not known: ${latest.answeredBy} does not answer`;
    byId("explanation").textContent = "What follows is the last that it said.";
  }
  if (stale && !wasStale) tell(`${latest.answeredBy}, which serves this page, does not answer`);
  if (!stale && wasStale) tell(`${latest.answeredBy} answers this page again`);
  wasStale = stale;
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** @param {number} value */
function count(value) {
  return value.toLocaleString("en");
}

/** @param {number} value */
function decimal(value) {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** @param {number} value */
function size(value) {
  if (value < 1000) return `${Math.round(value)} B`;
  return value < 1e6 ? `${decimal(value / 1e3)} kB` : `${decimal(value / 1e6)} MB`;
}

setInterval(showFreshness, POLL_MS);
void poll();
