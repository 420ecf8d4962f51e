// A page of any origin that chats through Catflap, in plain JavaScript. It holds no
// token: who signs in is the browser's session at Catflap, and the socket is opened
// with a ticket that is worth one handshake within seconds.
//
// Catflap's configuration lists this page's origin in `origins`. The page and Catflap
// must be of one site (app.example.com and chat.example.com): browsers send the
// session's cookie to no other.
import { catflap, loginAddress, session, signOut } from './session.js';

const say = document.querySelector('form');
const log = document.querySelector('ol');
const state = document.querySelector('[role=status]');
const out = document.querySelector('#out');

// ticket gets what opens one socket. 401 means: sign in (again).
async function ticket() {
  const answer = await fetch(new URL('/_catflap/ticket', catflap), { method: 'POST', credentials: 'include' });
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.detail.error), { status: answer.status, login: body.detail.login_url });
  return body.ticket;
}

function signIn(path) {
  const link = document.createElement('a');
  link.href = loginAddress(path);
  link.textContent = 'Sign in';
  state.replaceChildren(link);
  out.hidden = true;
}

function add(text, kind) {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  log.append(item);
  return item;
}

let socket;
let pause = 1000;

async function connect() {
  const url = new URL('/ws', catflap.origin.replace(/^http/, 'ws'));
  url.searchParams.set('token', await ticket()); // where stock clients put their credential
  socket = new WebSocket(url);
  socket.addEventListener('open', () => { pause = 1000; state.dataset.open = 'yes'; });
  let answer;
  socket.addEventListener('message', (event) => {
    const message = JSON.parse(event.data);
    if (message.type === 'chat_token') {
      answer ??= add('', 'cat');
      answer.textContent += message.content;
    } else if (message.type === 'chat') {
      (answer ?? add('', 'cat')).textContent = message.text;
      answer = undefined;
    } else {
      add(message.description ?? message.content ?? message.type, 'note');
    }
  });
  socket.addEventListener('close', (event) => {
    delete state.dataset.open;
    if (event.code === 4403) return add(event.reason, 'note');
    if (event.code === 4401) return start();
    setTimeout(() => start(), pause + Math.random() * pause); // nobody comes back at once with all the others
    pause = Math.min(2 * pause, 30000);
  });
}

async function start() {
  const who = await session();
  if (!who.signed_in) return signIn(who.login_url);
  state.textContent = `Signed in as ${who.user.name || who.user.id}`;
  out.hidden = false;
  try {
    await connect();
  } catch (error) {
    if (error.status === 401) signIn(error.login);
    else add(error.message, 'note');
  }
}

say.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return add('Not connected: this was not sent.', 'note');
  add(say.text.value, 'mine');
  socket.send(JSON.stringify({ text: say.text.value }));
  say.reset();
});

out.addEventListener('click', () => signOut().catch((error) => add(error.message, 'note')));

start().catch((error) => { state.textContent = error.message; });
