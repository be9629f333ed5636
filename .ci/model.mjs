import { runTypeScript } from './setup.mjs';
import { main } from './steps.mjs';

await main((args) => runTypeScript('test/model/main.ts', args));
