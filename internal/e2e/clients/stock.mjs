// Drives one version of the Cat's JavaScript client, unmodified, and prints what
// it met as one JSON object. The plan comes on standard input, as JSON:
//   module      the package: ccat-api, ccat-api-0.7, ...
//   settings    what the client is made with
//   calls       HTTP calls by name, in order: home, history, plugins, recall, message
//   text        what is sent over the WebSocket; without it none is opened
//   claim       the user id that the client claims in its frames
// The result is {calls: {name: {ok, status, body}}, ws: {reply} | {error}}.
import { readFileSync } from 'node:fs';

const plan = JSON.parse(readFileSync(0, 'utf8'));
const { CatClient } = await import(plan.module);
const cat = new CatClient({ ...plan.settings, instant: false });

const calls = {
  home: (api) => api.status.home(),
  history: (api) => api.memory.getConversationHistory(),
  plugins: (api) => api.plugins.listAvailablePlugins(),
  collections: (api) => api.memory.getCollections(),
  recall: (api) => api.memory.recallMemoriesFromText('tea', 3, plan.claim),
  message: (api) => api.status.messageWithCat({ text: 'over http', user_id: plan.claim }),
};

// An unanswered call must not hang the test: the client itself waits ten seconds.
const within = (ms, promise) => Promise.race([
  promise, new Promise((_, fail) => { setTimeout(() => fail(new Error(`nothing after ${ms} ms`)), ms).unref(); }),
]);

async function call(name) {
  try {
    return { ok: true, status: 200, body: await within(8000, calls[name](cat.api)) };
  } catch (err) {
    return { ok: false, status: err.status ?? 0, body: err.body ?? null, error: String(err.message ?? err) };
  }
}

function chat(text) {
  return new Promise((resolve) => {
    cat.onConnected(() => {
      // The argument lists differ between the versions.
      if (plan.module === 'ccat-api') cat.send({ text }, plan.claim);
      else if (plan.module === 'ccat-api-0.7') cat.send(text, plan.claim);
      else cat.send(text, {}, plan.claim);
    });
    cat.onMessage((reply) => { if (reply.type === 'chat') resolve({ reply }); });
    cat.onError((error) => resolve({ error: error.name ?? String(error) }));
  });
}

const result = { calls: {}, ws: null };
const talk = plan.text ? within(8000, chat(plan.text)).catch((err) => ({ error: err.message })) : null;
cat.init();
for (const name of plan.calls ?? []) result.calls[name] = await call(name);
if (talk) result.ws = await talk;
console.log(JSON.stringify(result));
// The client keeps trying to connect again; there is nothing to wait for.
process.exit(0);
