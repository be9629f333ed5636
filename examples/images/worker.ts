import { rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, parse } from 'node:path';
import { Worker } from 'drover';
import sharp, { type Sharp } from 'sharp';
import { redis } from '../redis.js';
import type { Picture, Resized } from './queue.js';

interface Size {
  name: string;
  format: 'jpeg' | 'webp';
  resize: (image: Sharp) => Sharp;
}

export const sizes: readonly Size[] = [
  { name: 'large', format: 'jpeg', resize: (image) => image.resize(1024, 1024, { fit: 'inside' }).jpeg({ quality: 80 }) },
  { name: 'medium', format: 'webp', resize: (image) => image.resize(480, 480, { fit: 'inside' }).webp({ quality: 75, effort: 2 }) },
  { name: 'thumbnail', format: 'jpeg', resize: (image) => image.resize(160, 160, { fit: 'cover' }).jpeg({ quality: 70 }) },
];

// One thread per picture and one picture per core beats many threads that share a picture.
sharp.concurrency(1);

export function startImageWorker() {
  const worker = new Worker<Picture, Resized[], 'resize'>(
    'images',
    async (job) => {
      const image = sharp(job.data.source, { failOn: 'error' });
      const resized: Resized[] = [];
      for (const size of sizes) {
        const path = join(job.data.targetDir, `${parse(job.data.source).name}-${size.name}.${size.format}`);
        // Written beside its place and then renamed: whoever sees the file sees all of it,
        // and a job that runs a second time after a crash simply replaces it.
        const { width, height } = await size.resize(image.clone()).toFile(`${path}.part`);
        await rename(`${path}.part`, path);
        resized.push({ path, width, height });
        await job.updateProgress(Math.round((100 * resized.length) / sizes.length));
      }
      return resized;
    },
    { ...redis, concurrency: availableParallelism() },
  );

  worker.on('error', (error) => console.error('image worker:', error.message));
  return worker;
}
