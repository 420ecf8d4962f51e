// What the real panel does with its credential, as it was measured: the cookie is
// read once, at page load, never verified, and sent in three places.
const cookie = 'ccat_user_token';
const $ = (id) => document.getElementById(id);
const token = document.cookie.split('; ').find((c) => c.startsWith(`${cookie}=`))?.slice(cookie.length + 1);

function payload(jwt) {
  const bytes = Uint8Array.from(atob(jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

// api calls the Cat. The user is always "user": the token is what tells people apart.
async function api(path) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${token}`, access_token: token, user_id: 'user' } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail?.error ?? '');
  return body;
}

function list(id, names) {
  $(id).replaceChildren(...names.map((name) => {
    const item = document.createElement('li');
    item.textContent = name;
    return item;
  }));
}

function say(html) {
  const item = document.createElement('li');
  item.innerHTML = html; // the real panel shows messages as HTML: only a policy stops them
  $('messages').append(item);
}

let attempts = 0;

function connect() {
  const socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/ws/user?token=${token}`);
  const ready = (on) => { $('text').disabled = !on; $('send').disabled = !on; };
  socket.addEventListener('open', () => { attempts = 0; ready(true); });
  socket.addEventListener('message', (event) => {
    const message = JSON.parse(event.data);
    if (message.type === 'chat' || message.type === 'notification') say(message.content);
  });
  socket.addEventListener('close', () => {
    ready(false);
    attempts += 1;
    if (attempts < 4) setTimeout(connect, 3000);
    else $('error').textContent = 'Something went wrong while connecting to the server';
  });
  $('say').onsubmit = (event) => {
    event.preventDefault();
    say($('text').value);
    socket.send(JSON.stringify({ text: $('text').value, user_id: 'user' }));
    $('text').value = '';
  };
}

const pages = {
  home: { path: '/admin/' },
  memory: {
    path: '/admin/memory', needs: ['MEMORY', 'READ'],
    show: async () => list('collections', (await api('/memory/collections')).collections.map((c) => `${c.name}: ${c.vectors_count}`)),
  },
  plugins: {
    path: '/admin/plugins', needs: ['PLUGINS', 'LIST'],
    show: async () => list('plugin-list', (await api('/plugins')).installed.map((p) => p.name)),
  },
  settings: {
    path: '/admin/settings', needs: ['STATUS', 'READ'],
    show: async () => {
      $('version').textContent = (await api('/')).version;
      await api('/auth/available-permissions');
      list('users', (await api('/users/?limit=100')).map((u) => u.username));
    },
  },
};

async function start() {
  const { username = '', permissions } = payload(token);
  const held = Object.fromEntries(Object.entries(permissions)); // fails without permissions, as there
  $('who').textContent = `Signed in as ${username}`;
  const bare = (path) => path.replace(/\/$/, '');
  const here = Object.values(pages).find((p) => bare(p.path) === bare(location.pathname)) ?? pages.home;
  for (const [name, page] of Object.entries(pages)) {
    $(name).hidden = page !== here;
    if (page.needs && !held[page.needs[0]]?.includes(page.needs[1])) continue;
    const link = document.createElement('a');
    link.href = page.path;
    link.textContent = name[0].toUpperCase() + name.slice(1);
    if (page === here) link.setAttribute('aria-current', 'page');
    $('menu').append(link);
  }
  connect();
  for (const path of ['/plugins', '/plugins/settings']) api(path).catch((error) => console.error(path, error.message));
  await here.show?.();
}

$('logout').addEventListener('click', () => {
  document.cookie = `${cookie}=; expires=Thu, 01 Jan 1970 00:00:00 GMT`; // no path, as there
  location.assign('/auth/login');
});

// Without a cookie: an empty menu, a dead chat, no request, no redirect.
if (token) start().catch((error) => { $('error').textContent = error.message; });
else $('home').hidden = false;
