import type { Email } from './queue.js';

export function orderConfirmation({ to, customer, order }: Email) {
  const total = (order.totalCents / 100).toFixed(2);
  return {
    from: 'The Shop <orders@shop.example>',
    to,
    subject: `Your order ${order.number}`,
    text: [`Dear ${customer},`, '', 'thank you for your order:', ...order.items.map((item) => `  - ${item}`), '', `Total: ${total} EUR`].join('\n'),
    html: `<p>Dear ${customer},</p><p>thank you for your order:</p><ul>${order.items.map((item) => `<li>${item}</li>`).join('')}</ul><p><b>Total: ${total} EUR</b></p>`,
  };
}
