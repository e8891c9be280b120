// Bundles the page into `dist`, which is committed and compiled into the program. The same sources
// give the same bytes on every machine: names carry hashes of contents, and nothing carries a path
// or a time.

import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    // Each file is served under the page's policy, which takes no `data:` but pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The LiveKit client alone is larger than what Vite warns of.
    chunkSizeWarningLimit: 1024,
    reportCompressedSize: false,
  },
});
