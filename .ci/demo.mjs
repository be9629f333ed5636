import { runTypeScript } from './setup.mjs';
import { main } from './steps.mjs';

await main((args) => runTypeScript('examples/demo/main.ts', args));
