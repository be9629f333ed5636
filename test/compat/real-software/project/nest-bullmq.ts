// A NestJS application on @nestjs/bullmq, as its users write it. What happens is told as lines of JSON.

import 'reflect-metadata';
import {
  BullModule, InjectFlowProducer, InjectQueue, OnQueueEvent, OnWorkerEvent, Processor, QueueEventsHost, QueueEventsListener, WorkerHost,
} from '@nestjs/bullmq';
import { Inject, Injectable, Module, Scope, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { FlowProducer, Queue, type Job } from 'bullmq';

const tell = (what: string, ...about: unknown[]): void => console.log(JSON.stringify([what, ...about]));

interface Letter {
  to: string;
}

/** Rings when the application begins to shut down. */
@Injectable()
class ClosingBell implements OnModuleDestroy {
  onModuleDestroy!: () => void;
  readonly rung = new Promise<void>((resolve) => (this.onModuleDestroy = resolve));
}

@Processor('letters', { concurrency: 2 })
class LetterProcessor extends WorkerHost {
  constructor(private readonly bell: ClosingBell) {
    super();
  }

  async process(job: Job<Letter, string>): Promise<string> {
    if (job.name === 'until closing time') await this.bell.rung;
    if (job.data.to === 'nobody') throw new Error('unknown address');
    await job.updateProgress(50);
    await job.log(`writing to ${job.data.to}`);
    return `sent to ${job.data.to}`;
  }

  @OnWorkerEvent('active')
  onActive(job: Job<Letter>): void {
    tell('worker active', job.name);
  }

  @OnWorkerEvent('progress')
  onProgress(job: Job<Letter>, progress: number): void {
    tell('worker progress', job.name, progress);
  }

  @OnWorkerEvent('completed')
  onCompleted(job: Job<Letter, string>, result: string): void {
    tell('worker completed', job.name, result);
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<Letter> | undefined, error: Error): void {
    tell('worker failed', job?.name, error.message);
  }
}

@QueueEventsListener('letters')
class LetterEvents extends QueueEventsHost {
  @OnQueueEvent('completed')
  onCompleted({ returnvalue }: { jobId: string; returnvalue: string }): void {
    tell('queue completed', returnvalue);
  }

  @OnQueueEvent('failed')
  onFailed({ failedReason }: { jobId: string; failedReason: string }): void {
    tell('queue failed', failedReason);
  }
}

/** One object per job: Nest gives it the job as the request. */
@Processor({ name: 'reports', scope: Scope.REQUEST })
class ReportProcessor extends WorkerHost {
  constructor(@Inject(REQUEST) private readonly request: Job) {
    super();
  }

  async process(job: Job): Promise<string> {
    const parts = Object.values(await job.getChildrenValues());
    return `${job.name} of ${parts.sort().join(' and ') || 'nothing'}${this.request.id === job.id ? '' : ', asked by another'}`;
  }
}

@Injectable()
class Office {
  constructor(
    @InjectQueue('letters') readonly letters: Queue<Letter, string>,
    @InjectQueue('reports') readonly reports: Queue,
    @InjectQueue('thumbnails') readonly thumbnails: Queue,
    @InjectFlowProducer('tree') readonly flows: FlowProducer,
    private readonly events: LetterEvents,
  ) {}

  async work(): Promise<void> {
    await this.events.queueEvents.waitUntilReady();
    const job = await this.letters.add('welcome', { to: 'ada' });
    tell('result', await job.waitUntilFinished(this.events.queueEvents, 10_000));
    await this.letters.addBulk([{ name: 'lost', data: { to: 'nobody' } }, { name: 'late', data: { to: 'bob' }, opts: { delay: 10 } }]);
    const { job: root } = await this.flows.add({
      name: 'year', queueName: 'reports', children: [
        { name: 'spring', queueName: 'letters', data: { to: 'spring' } },
        { name: 'autumn', queueName: 'letters', data: { to: 'autumn' } },
      ],
    });
    const thumbnail = await this.thumbnails.add('bridge', {});
    await this.ended(this.thumbnails, 1);
    tell('thumbnail', (await this.thumbnails.getJob(thumbnail.id as string))?.returnvalue);
    await this.ended(this.reports, 1);
    await this.ended(this.letters, 5);
    tell('report', (await this.reports.getJob(root.id as string))?.returnvalue);
  }

  /** Resolves when so many jobs have ended in a queue; asks, as an application would that has no listener there. */
  private async ended(queue: Queue, wanted: number): Promise<void> {
    while ((await queue.getJobCountByTypes('completed', 'failed')) < wanted) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const connection = { url: process.env['REDIS_URL'] };

@Module({
  imports: [
    BullModule.forRootAsync({ useFactory: () => ({ connection, prefix: process.env['PREFIX'], defaultJobOptions: { removeOnFail: 100 } }) }),
    BullModule.registerQueue({ name: 'letters', forceDisconnectOnShutdown: true }),
    BullModule.registerQueueAsync({ name: 'reports', useFactory: () => ({ streams: { events: { maxLen: 100 } } }) }),
    BullModule.registerQueue({ name: 'thumbnails', processors: [{ name: 'painter', concurrency: 3, callback: async (job: Job) => `painted a ${job.name}` }] }),
    BullModule.registerFlowProducer({ name: 'tree' }),
  ],
  providers: [ClosingBell, LetterProcessor, LetterEvents, ReportProcessor, Office],
})
class App {}

const app = await NestFactory.createApplicationContext(App, { logger: ['error', 'warn'] });
if (process.argv[2] === 'serve') {
  app.enableShutdownHooks();
  tell('serving');
} else {
  await app.get(Office).work();
  await app.close();
  tell('closed');
}
