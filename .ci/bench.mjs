import { runTypeScript } from './setup.mjs';
import { main } from './steps.mjs';

await main((args) => runTypeScript('benchmarks/main.ts', args));
