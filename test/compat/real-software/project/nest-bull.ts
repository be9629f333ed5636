// A NestJS application on @nestjs/bull, as its users write it. What happens is told as lines of JSON.

import 'reflect-metadata';
import {
  BullModule, InjectQueue, OnGlobalQueueCompleted, OnGlobalQueueProgress, OnQueueActive, OnQueueCleaned, OnQueueCompleted, OnQueueDrained,
  OnQueueFailed, OnQueuePaused, OnQueueProgress, OnQueueRemoved, OnQueueResumed, OnQueueWaiting, Process, Processor,
} from '@nestjs/bull';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Job, Queue } from 'bull';

const tell = (what: string, ...about: unknown[]): void => console.log(JSON.stringify([what, ...about]));

interface Letter {
  to: string;
}

@Processor('letters')
class LetterProcessor {
  @Process()
  async plain(job: Job<Letter>): Promise<string> {
    await job.progress(50);
    return `sent to ${job.data.to}`;
  }

  @Process({ name: 'registered', concurrency: 2 })
  async registered(job: Job<Letter>): Promise<string> {
    if (job.data.to === 'nobody') throw new Error('unknown address');
    return `registered for ${job.data.to}`;
  }

  @OnQueueWaiting()
  onWaiting(jobId: string): void {
    tell('waiting', typeof jobId);
  }

  @OnQueueActive()
  onActive(job: Job<Letter>): void {
    tell('active', job.data.to);
  }

  @OnQueueProgress()
  onProgress(job: Job<Letter>, progress: number): void {
    tell('progress', job.data.to, progress);
  }

  @OnQueueCompleted()
  onCompleted(job: Job<Letter>, result: string): void {
    tell('completed', job.data.to, result);
  }

  @OnQueueCompleted({ name: 'registered' })
  onRegistered(job: Job<Letter>, result: string): void {
    tell('completed registered', job.data.to, result);
  }

  @OnQueueFailed()
  onFailed(job: Job<Letter>, error: Error): void {
    tell('failed', job.data.to, error.message);
  }

  @OnQueueDrained()
  onDrained(): void {
    tell('drained');
  }

  @OnQueuePaused()
  onPaused(): void {
    tell('paused');
  }

  @OnQueueResumed()
  onResumed(): void {
    tell('resumed');
  }

  @OnQueueRemoved()
  onRemoved(job: Job<Letter>): void {
    tell('removed', job.data.to);
  }

  @OnQueueCleaned()
  onCleaned(jobs: string[], type: string): void {
    tell('cleaned', jobs.length, type);
  }

  @OnGlobalQueueProgress()
  onGlobalProgress(_jobId: string, progress: number): void {
    tell('global progress', progress);
  }

  @OnGlobalQueueCompleted()
  onGlobalCompleted(_jobId: string, result: string): void {
    tell('global completed', result);
  }

  @OnGlobalQueueCompleted({ name: 'registered' })
  onGlobalRegistered(job: Job<Letter>): void {
    tell('global completed registered', job.data.to);
  }
}

@Injectable()
class Office {
  constructor(
    @InjectQueue('letters') private readonly letters: Queue<Letter>,
    @InjectQueue('thumbnails') private readonly thumbnails: Queue<{ of: string }>,
  ) {}

  async work(): Promise<void> {
    await this.letters.isReady();
    tell('result', await (await this.letters.add({ to: 'ada' })).finished());
    tell('result', await (await this.letters.add('registered', { to: 'bob' })).finished());
    const lost = await this.letters.add('registered', { to: 'nobody' });
    tell('result', await lost.finished().catch((error: Error) => error.message));
    tell('thumbnail', await (await this.thumbnails.add({ of: 'a bridge' })).finished());
    await this.letters.pause();
    await (await this.letters.add({ to: 'carol' })).remove();
    await this.letters.resume();
    await this.letters.clean(0, 'failed');
    const { completed, failed, waiting } = await this.letters.getJobCounts();
    tell('counts', { completed, failed, waiting });
  }
}

@Module({
  imports: [
    BullModule.forRoot({ redis: process.env['REDIS_URL'] as string, prefix: process.env['PREFIX'] as string }),
    BullModule.registerQueue({ name: 'letters', settings: { lockDuration: 5_000 } }),
    BullModule.registerQueueAsync({
      name: 'thumbnails', useFactory: () => ({ processors: [async (job: Job<{ of: string }>) => `painted ${job.data.of}`] }),
    }),
  ],
  providers: [LetterProcessor, Office],
})
class App {}

const app = await NestFactory.createApplicationContext(App, { logger: ['error', 'warn'] });
await app.get(Office).work();
await app.close();
tell('closed');
