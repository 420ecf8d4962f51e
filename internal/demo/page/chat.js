// The chat page: what a front end of one's own needs, and nothing else. It has no
// token. The session's cookie, which it can't read, says who is here.
import { Chat, newSession } from './socket.js';

const $ = (id) => document.getElementById(id);
const log = $('log');
let partial; // the answer that is being written
let asked = 0; // questions of this tab that have no answer yet

function add(text, kind) {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  log.append(item);
  log.scrollTop = log.scrollHeight;
  return item;
}

function hear(message) {
  if (message.type === 'chat_token') {
    partial ??= add('', 'cat');
    partial.textContent += message.content;
  } else if (message.type === 'chat') {
    (partial ?? add('', 'cat')).textContent = message.text ?? message.content;
    partial = undefined;
    add(`The Cat knows you as ${message.user_id}${asked > 0 ? '' : '. You asked in another tab'}`, 'note');
    asked = Math.max(0, asked - 1);
  } else {
    if (message.type === 'error') {
      partial = undefined;
      asked = Math.max(0, asked - 1);
    }
    add(message.content ?? message.description ?? message.type, 'note');
  }
}

// brief leaves out what fills the page and says nothing here: vectors, and the
// Cat's account of how it came to an answer.
function brief(key, value) {
  if (key === 'why') return undefined;
  if (Array.isArray(value) && value.length > 8 && typeof value[0] === 'number') return `(${value.length} numbers)`;
  return value;
}

async function attempt(what, other) {
  const [path, headers] = {
    history: ['/memory/conversation_history', {}],
    forged: ['/memory/conversation_history', { user_id: other }],
    points: ['/memory/collections/episodic/points', {}],
    users: ['/users/', {}],
  }[what];
  const response = await fetch(path, { headers: { Accept: 'application/json', ...headers } });
  const body = await response.json();
  const claim = headers.user_id ? ` with user_id: ${headers.user_id}` : '';
  $('answer').textContent = `GET ${path}${claim}\n${response.status}\n${JSON.stringify(body, brief, 1)}`;
}

async function signOut() {
  const response = await fetch('/_catflap/logout', { method: 'POST', headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`signing out was answered ${response.status}`);
  const { redirect } = await response.json();
  location.assign(redirect);
}

function failed(error) { add(`That did not work: ${error.message}`, 'note'); }

async function start() {
  const { user } = await newSession();
  const other = user.id === 'demo:alice' ? 'demo:bob' : 'demo:alice';
  $('who').textContent = `You are ${user.name || user.id}`;
  document.title = `${user.name || user.id}: chat with the Cat`;

  const chat = new Chat({
    hear,
    state: (text) => { $('state').textContent = text; },
    note: (text) => add(text, 'note'),
    lost: () => { partial = undefined; asked = 0; },
  });
  chat.connect();
  $('say').addEventListener('submit', (event) => {
    event.preventDefault();
    const { text } = event.target.elements;
    if (!chat.send(text.value)) {
      add('Not connected: this was not sent.', 'note');
      return;
    }
    add(text.value, 'mine');
    asked += 1;
    event.target.reset();
  });
  for (const button of document.querySelectorAll('[data-try]')) {
    button.addEventListener('click', () => attempt(button.dataset.try, other).catch(failed));
  }
  $('logout').addEventListener('click', () => chat.leave(signOut).catch(failed));
}

start().catch(failed);
