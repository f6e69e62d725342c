// The journal: what is typed, in this browser, before any server has it. One entry a person, example and page; each is
// written with strict durability and goes once the server has its words. Nobody else's entries are ever read.
const NAME = "handpicked-journal";
const STORE = "words";

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" }).createIndex("desk", "desk");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
  opening.catch(() => { opening = null; });
  return opening;
}

/** One step in the store; resolved when it is on the disk. */
async function step(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const result = act(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(result?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    if (mode === "readwrite") transaction.commit?.();
  });
}

/** An entry: {id, desk, person, at, words, counter, copyKey}; the same id again takes its place. */
export const write = (entry) => step("readwrite", (store) => store.put(entry));
export const remove = (id) => step("readwrite", (store) => store.delete(id));

/** What one person wrote at one desk, the latest first. */
export async function entriesOf(person, desk) {
  const found = await step("readonly", (store) => store.index("desk").getAll(desk));
  return found.filter((entry) => entry.person === person).sort((a, b) => b.at - a.at);
}

/** Forget what one person wrote in this browser: they sign out. */
export async function forget(person) {
  const all = await step("readonly", (store) => store.getAll());
  await Promise.all(all.filter((entry) => entry.person === person).map((entry) => remove(entry.id)));
}

const HELD = (id) => `handpicked-journal ${id}`;

/** While this page lives nobody else is offered its entry. */
export function hold(id) {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve();
    navigator.locks.request(HELD(id), () => { resolve(); return new Promise(() => {}); });
  });
}

/** The entries among these whose page is open no more. */
export async function orphans(entries) {
  if (!navigator.locks) return entries;
  const { held } = await navigator.locks.query();
  const names = new Set(held.map((lock) => lock.name));
  return entries.filter((entry) => !names.has(HELD(entry.id)));
}
