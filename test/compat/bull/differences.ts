import { differencesOf, type Group } from '../surface/differences.js';

/**
 * Every name of Bull 4.16's declarations for which code written against Bull does not compile against `drover/bull`. All
 * others are the same. A test holds this table against the compiler.
 */

const groups: Group[] = [
  { verdict: 'better', because: 'the type says that it may be null, which it is in Bull too', names: 'JobInformation.id JobInformation.endDate JobInformation.tz JobInformation.cron JobInformation.every' },
  { verdict: 'better', because: 'the ids of the jobs that are gone, which Bull passes too, though it declares jobs', names: 'Queue.clean CleanedEventCallback CleanedEventCallback<…>' },
  { verdict: 'better', because: 'the type says that there is none once the schedule has ended', names: 'Queue.nextRepeatableJob' },
  { verdict: 'better', because: 'ioredis’s type for a chain of commands, rather than the class behind it', names: 'Queue.multi' },
  { verdict: 'better', because: 'a list of clients, as Bull answers, though it declares a list of lists', names: 'Queue.parseClientList' },
];

export const differences = differencesOf(groups);
