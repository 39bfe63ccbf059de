'use strict';

const MAX_ROWS = 500;
const PAGE = 50;
const RECONNECT_MS = 3000;

const rows = new Map();      // request id -> {request, element}
const repositories = new Map();
const byId = (id) => document.getElementById(id);
const body = document.querySelector('#requests tbody');
const cursors = new Map();   // list address -> next cursor
let lastEventId = null;
let stream = null;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function headers() {
  const token = sessionStorage.getItem('token');
  return token ? { Authorization: 'Bearer ' + token } : {};
}

class Refused extends Error {}

async function read(path) {
  const answer = await fetch(path, { headers: headers(), cache: 'no-store' });
  if (answer.status === 401 || answer.status === 403) {
    byId('login').hidden = false;
    throw new Refused('a token is needed');
  }
  if (!answer.ok) throw new Error(path + ' answered ' + answer.status);
  return answer.json();
}

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return (unit && n < 100 ? n.toFixed(1) : Math.round(n)) + ' ' + units[unit];
}

function time(iso) {
  const made = element('time', '', new Date(iso).toLocaleString([], { dateStyle: 'short', timeStyle: 'medium' }));
  made.dateTime = iso;
  return made;
}

function connection(text, kind) {
  const badge = byId('connection');
  badge.textContent = text;
  badge.className = 'badge ' + kind;
}

function progressCell(cell, request) {
  const p = request.progress;
  cell.replaceChildren();
  const final = ['done', 'failed', 'cancelled'].includes(request.state);
  if (!final || request.state === 'done') {
    const bar = document.createElement('progress');
    bar.setAttribute('aria-label', 'progress of ' + request.id);
    if (request.state === 'done') { bar.max = 1; bar.value = 1; }
    else if (p.bytesTotal > 0) { bar.max = p.bytesTotal; bar.value = p.bytesDone; }
    cell.append(bar);
  }
  const figures = [];
  if (p.layersTotal > 0) figures.push(p.layersDone + ' of ' + p.layersTotal + ' layers');
  if (p.bytesTotal > 0) {
    figures.push(request.state === 'done' ? bytes(p.bytesTotal) : bytes(p.bytesDone) + ' of ' + bytes(p.bytesTotal));
  }
  if (request.revision !== undefined) figures.push('revision ' + request.revision);
  cell.append(element('span', 'figures', figures.join(', ')));
}

function fill(row, request) {
  const subject = element('td', 'subject');
  subject.append(element('code', '', request.image || request.layer || request.removes || request.collects));
  if (request.detail) subject.append(element('span', 'detail', request.detail));
  const progress = element('td', 'progress');
  progressCell(progress, request);
  const state = element('td');
  state.append(element('span', 'state ' + request.state, request.state));
  const accepted = element('td');
  accepted.append(time(request.acceptedAt));
  row.replaceChildren(subject, element('td', '', request.repository), state, progress, accepted);
}

function wanted(request) {
  const state = byId('state').value;
  const repository = byId('repository').value;
  return (!state || state === request.state) && (!repository || repository === request.repository);
}

function show(request) {
  const known = rows.get(request.id);
  if (!wanted(request)) {
    if (known) { known.element.remove(); rows.delete(request.id); }
    return;
  }
  const row = known ? known.element : element('tr');
  fill(row, request);
  if (!known) {
    const after = [...body.children].find((r) => r.dataset.accepted < request.acceptedAt);
    row.dataset.accepted = request.acceptedAt;
    row.dataset.id = request.id;
    body.insertBefore(row, after || null);
  }
  rows.set(request.id, { request, element: row });
  while (body.children.length > MAX_ROWS) {
    rows.delete(body.lastElementChild.dataset.id);
    body.lastElementChild.remove();
  }
  byId('empty').hidden = true;
}

function showProgress(event) {
  const known = rows.get(event.id);
  if (!known) return;
  known.request.progress = event.progress;
  progressCell(known.element.querySelector('td.progress'), known.request);
}

function showRepository(repository) {
  repositories.set(repository.name, repository);
  const cards = [...repositories.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((r) => {
      const card = element('article', 'card');
      card.append(element('h3', '', r.name));
      const facts = [];
      if (r.storage) facts.push(r.storage);
      if (r.whitelistExpires) facts.push('whitelist until ' + new Date(r.whitelistExpires).toLocaleDateString());
      card.append(element('p', 'quiet', facts.join(' · ')));
      if (r.links.stratum0) card.append(element('code', '', location.origin + r.links.stratum0));
      const list = element('ol');
      for (const revision of r.revisions.slice(0, 6)) {
        const item = element('li');
        item.append(
          element('span', '', 'revision ' + revision.revision),
          element('span', 'quiet', revision.changes + ' changes'),
          time(revision.publishedAt));
        list.append(item);
      }
      card.append(list);
      return card;
    });
  byId('repositories').replaceChildren(...cards);
  const filter = byId('repository');
  if (![...filter.options].some((o) => o.value === repository.name)) {
    filter.append(new Option(repository.name, repository.name));
  }
}

async function loadRequests(older) {
  const query = new URLSearchParams({ limit: PAGE });
  if (byId('state').value) query.set('state', byId('state').value);
  if (byId('repository').value) query.set('repository', byId('repository').value);
  if (!older) {
    rows.clear();
    cursors.clear();
    body.replaceChildren();
  }
  for (const list of ['/api/v1/conversions', '/api/v1/diff-commits', '/api/v1/removals',
    '/api/v1/collections']) {
    const asked = new URLSearchParams(query);
    if (older) {
      if (!cursors.get(list)) continue;
      asked.set('cursor', cursors.get(list));
    }
    const page = await read(list + '?' + asked);
    cursors.set(list, page.next);
    page.items.forEach(show);
  }
  byId('more').hidden = rows.size >= MAX_ROWS || ![...cursors.values()].some(Boolean);
  byId('empty').hidden = rows.size > 0;
}

async function loadRepositories() {
  const page = await read('/api/v1/repositories');
  repositories.clear();
  byId('no-repositories').hidden = page.items.length > 0;
  page.items.forEach(showRepository);
}

function onEvent(event) {
  if (event.id) lastEventId = event.id;
  switch (event.name) {
    case 'reset': return loadAll();
    case 'request': return show(JSON.parse(event.data));
    case 'progress': return showProgress(JSON.parse(event.data));
    case 'published': return loadRepositories();
    default: return undefined;
  }
}

// EventSource cannot send a token, so the stream is read by hand.
async function follow() {
  stream = new AbortController();
  const asked = { ...headers() };
  if (lastEventId) asked['Last-Event-ID'] = lastEventId;
  const answer = await fetch('/api/v1/events', { headers: asked, signal: stream.signal, cache: 'no-store' });
  if (answer.status === 401 || answer.status === 403) {
    byId('login').hidden = false;
    throw new Refused('a token is needed');
  }
  if (!answer.ok) throw new Error('the event stream answered ' + answer.status);
  connection('live', 'live');
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const frames = text.split('\n\n');
    text = frames.pop();
    for (const frame of frames) {
      const event = { name: 'message', data: '' };
      for (const line of frame.split('\n')) {
        const colon = line.indexOf(': ');
        if (colon <= 0) continue;
        const field = line.slice(0, colon);
        if (field === 'event') event.name = line.slice(colon + 2);
        else if (field === 'id' || field === 'data') event[field] = line.slice(colon + 2);
      }
      if (event.data) await onEvent(event);
    }
  }
}

function loadAll() {
  return Promise.all([loadRequests(false), loadRepositories()]);
}

async function run() {
  for (;;) {
    try {
      await follow();
    } catch (failure) {
      if (failure instanceof Refused) {
        connection('token needed', 'lost');
        return;
      }
    }
    connection('reconnecting', 'lost');
    await new Promise((resume) => setTimeout(resume, RECONNECT_MS));
  }
}

byId('state').addEventListener('change', () => loadRequests(false));
byId('repository').addEventListener('change', () => loadRequests(false));
byId('more').addEventListener('click', () => loadRequests(true));
byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', byId('token').value.trim());
  byId('token').value = '';
  byId('login').hidden = true;
  run();
});

fetch('/version').then((a) => a.json()).then((v) => { byId('version').textContent = v.version; }, () => {});
run();
