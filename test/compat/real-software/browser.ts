import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { root } from '../../docs/documents.js';

const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage',
];

/** A headless Chromium with a profile of its own, that reaches one site and nothing else. */
export class Browser {
  readonly #context: BrowserContext;
  readonly #profile: string;
  /** What a page did that it should not: dialogs, errors, scripts that came with data. */
  readonly complaints: string[] = [];

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context;
    this.#profile = profile;
  }

  static async open(site: string): Promise<Browser> {
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, '.ci/chromium-binary.mjs')], { cwd: root });
    const profile = await mkdtemp(join(tmpdir(), 'drover-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: stdout.trim(), headless: true, args: flags, viewport: { width: 1600, height: 1000 },
    });
    // The board asks a foreign host for its fonts.
    await context.route((url) => url.origin !== new URL(site).origin, (route) => route.fulfill({ status: 200, contentType: 'text/css', body: '' }));
    context.setDefaultTimeout(20_000);
    return new Browser(context, profile);
  }

  async page(url: string): Promise<Page> {
    const page = await this.#context.newPage();
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return page;
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true });
  }
}

/** Texts that do something when a page takes them for markup: they call `alert`, or leave an element behind. */
const attacks = [
  '<img src="x" class="injected" onerror="alert(1)">', '<script class="injected">alert(2)</script>', '"><svg class="injected" onload="alert(3)">',
  '<a class="injected" href="javascript:alert(4)">x</a>', "';alert(5);//", '{{constructor.constructor("alert(6)")()}}', '<iframe class="injected" srcdoc="<script>parent.alert(7)</script>">',
];
export const hostile = attacks.join(' ');
/** Names of jobs have 256 characters at most. */
export const hostileName = attacks.slice(0, 3).join(' ');

/** How many elements the hostile text has become. */
export const injected = (page: Page): Promise<number> => page.locator('.injected, a[href^="javascript:"]').count();
