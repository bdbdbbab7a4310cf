// A crawler: the pages of a site, fetched and taken apart in processes of their own.
//
//   npm run build
//   node examples/crawler.mjs                      a small site that it serves itself
//   node examples/crawler.mjs https://site.example
//
// It shows an executor of processes, a deadline for each page, a page that fails without failing the others, and a group
// that ends with the last page. Crawl sites that are yours.

import { createServer } from "node:http";
import * as asyncio from "asyncio-ts";
import * as work from "./crawler/work.mjs";

const tasks = asyncio.defineTasks(new URL("./crawler/work.mjs", import.meta.url), work);
const MOST_PAGES = 100;

/** What was found at each address, from `start` on. */
async function crawl(executor, start) {
  const pages = new Map();
  await asyncio.taskGroup(async (group) => {
    const visit = (url) => {
      if (pages.has(url) || pages.size >= MOST_PAGES) return;
      pages.set(url, null);
      group.createTask(async () => {
        try {
          const page = await executor.submit(tasks.read.with({ timeout: 10, stopWithin: 0.5 }), url);
          pages.set(url, page);
          for (const link of page.links) visit(link);
        } catch (error) {
          asyncio.rethrowIfCancelled(error);
          pages.set(url, { status: error.message, title: "", words: 0 });
        }
      });
    };
    visit(start);
  });
  return pages;
}

/** A site of some pages, where there is no other: its address. */
async function serveSomePages() {
  const links = { "/": ["/a", "/b"], "/a": ["/b", "/c"], "/b": ["/"], "/c": ["/broken"] };
  const server = createServer((request, response) => {
    if (request.url === "/broken") response.destroy();
    const list = (links[request.url] ?? []).map((href) => `<a href="${href}">${href}</a>`).join(" and ");
    response.end(`<title>Page ${request.url}</title> It links to ${list}.`);
  });
  const listening = asyncio.getRunningLoop().createFuture();
  server.listen(0, "127.0.0.1", () => listening.setResult());
  await listening;
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

async function main(url) {
  const site = url === undefined ? await serveSomePages() : { url, close() {} };
  const executor = new asyncio.ProcessPoolExecutor({ maxWorkers: 2, maxMemory: 256, maxTasksPerWorker: 50 });
  try {
    const pages = await crawl(executor, site.url);
    for (const [address, { status, words, title }] of [...pages].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      console.log(
        `${String(status).padEnd(12)} ${String(words).padStart(6)} words  ${new URL(address).pathname}  ${title}`,
      );
    }
  } finally {
    await executor.shutdown({ cancelFutures: true });
    site.close();
  }
}

await asyncio.run(() => main(process.argv[2]));
