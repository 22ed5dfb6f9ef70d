// What could not be sent yet: scores, notes and comments by assignment and person. Never a word of a conversation.
const PREFIX = "mhds.journal.";

export const journalOf = (person) => {
  const own = `${PREFIX}${person}.`;
  // A browser that keeps nothing (storage full, or switched off) still scores: the draft goes to the server.
  const quietly = (act, otherwise) => { try { return act(); } catch { return otherwise; } };
  const names = () => quietly(() => Object.keys(localStorage).filter((name) => name.startsWith(own)), []);
  const read = (name) => quietly(() => JSON.parse(localStorage.getItem(name)), null);
  return {
    keep: (id, entry) => quietly(() => localStorage.setItem(own + id, JSON.stringify(entry)), undefined),
    drop: (id) => quietly(() => localStorage.removeItem(own + id), undefined),
    get: (id) => read(own + id),
    all: () => names().map((name) => [name.slice(own.length), read(name)]).filter(([, entry]) => entry),
  };
};
