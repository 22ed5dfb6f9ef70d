// The next records, read before their turn so that they are there at once. In memory only, gone with the page.
import { part } from "./net.js";

export const aheadOf = () => {
  const kept = new Map();  // address -> the screen, or a promise of it
  const fill = async (screen) => {
    for (const url of screen.dataset.ahead.split(" ").filter(Boolean)) {
      if (!kept.has(url)) kept.set(url, part(url).catch(() => null));
      await kept.get(url);
    }
  };
  /** The next screen, null where none could be read ahead: the server then says what comes. */
  const take = async (screen) => {
    const [url] = screen.dataset.ahead.split(" ");
    const found = url ? await kept.get(url) : null;
    kept.delete(url);
    return found ?? null;
  };
  const giveBack = (screen) => kept.set(`${screen.dataset.url}ahead/`, Promise.resolve(screen));
  return { fill, take, giveBack };
};
