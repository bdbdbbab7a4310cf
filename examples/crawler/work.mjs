/** What the processes do: fetch a page, and take it apart. A page that is too much for a parser takes its process with it. */

import * as asyncio from "asyncio-ts";

/** The title of a page, how many words it has, and the pages of the same site that it links to. */
export async function read(url) {
  const response = await fetch(url, { signal: asyncio.currentJob().signal });
  const html = await response.text();
  const links = [...html.matchAll(/<a\s[^>]*href="([^"#]+)/gi)].map(([, href]) => new URL(href, url));
  return {
    status: response.status,
    title: /<title>([^<]*)/i.exec(html)?.[1] ?? "",
    words: html
      .replaceAll(/<[^>]*>/g, " ")
      .split(/\s+/)
      .filter(Boolean).length,
    links: [...new Set(links.filter((link) => link.origin === new URL(url).origin).map(String))],
  };
}
