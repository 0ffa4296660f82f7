//! An agent that learns a game by playing it (Q-learning, Watkins 1989, with a store of
//! moments as in Mnih et al. 2015): a ball falls through a field of 7 by 7, and a paddle at
//! the bottom must be there: `cargo run --release -p gdc --example agent`.

use gdc::rt;

gdc::network! {
    /// The worth of moving left, staying and moving right.
    model Player {
        input  seen: [3];
        target action: in 0..3;
        target worth: [];
        let h = seen |> dense(32) |> relu |> dense(32) as second |> relu;
        output q = h |> dense(3);
        loss   huber(q[action], worth);
        optimizer adam(lr = 2e-3);
        train { batch = 32; }
    }
}

const SIZE: i32 = 7;

/// The game: where the ball and the paddle are.
#[derive(Clone, Copy)]
struct Game {
    ball: (i32, i32),
    paddle: i32,
}

impl Game {
    fn new(dice: &mut Dice) -> Self {
        Game { ball: (dice.below(7) as i32, 0), paddle: dice.below(7) as i32 }
    }

    /// Moves; the reward once the ball is down.
    fn play(&mut self, action: u32) -> Option<f32> {
        self.paddle = (self.paddle + action as i32 - 1).clamp(0, SIZE - 1);
        self.ball.1 += 1;
        (self.ball.1 == SIZE - 1).then(|| if self.ball.0 == self.paddle { 1.0 } else { -1.0 })
    }

    fn seen(&self) -> [f32; 3] {
        [self.ball.0, self.ball.1, self.paddle].map(|x| x as f32 / 3.0 - 1.0)
    }
}

/// Random numbers, from the generator that the networks use too.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 += 1;
        rt::fold(7, self.0) % n
    }
}

/// One moment of play.
#[derive(Clone, Copy, Default)]
struct Moment {
    seen: [f32; 3],
    action: u32,
    reward: f32,
    /// What came after, if the game went on.
    next: Option<[f32; 3]>,
}

fn best(q: &[f32; 3]) -> u32 {
    (0..3).max_by(|&a, &b| q[a].total_cmp(&q[b])).unwrap_or(1) as u32
}

/// The share of 500 games that are won without trying anything out.
fn wins(model: &Player) -> f32 {
    let mut dice = Dice(1 << 32);
    let won = (0..500).filter(|_| {
        let mut game = Game::new(&mut dice);
        loop {
            if let Some(reward) = game.play(best(&model.predict(&game.seen()))) {
                break reward > 0.0;
            }
        }
    });
    won.count() as f32 / 500.0
}

fn main() -> Result<(), rt::Error> {
    let mut dice = Dice(0);
    let mut trainer = PlayerTrainer::new(7);
    let mut moments = [Moment::default(); 4096];
    let mut count = 0;
    for round in 0..=3000_u64 {
        let mut game = Game::new(&mut dice);
        loop {
            let seen = game.seen();
            // It tries things out, less and less.
            let random = dice.below(3000) > round.min(2700);
            let action = if random { dice.below(3) as u32 } else { best(&trainer.model.predict(&seen)) };
            let reward = game.play(action);
            let next = reward.is_none().then(|| game.seen());
            moments[count % moments.len()] = Moment { seen, action, reward: reward.unwrap_or(0.0), next };
            count += 1;
            if reward.is_some() {
                break;
            }
        }
        // Some moments of the past, and what they turned out to be worth.
        let (mut seen, mut action, mut worth) = ([[0.0; 3]; 32], [0; 32], [0.0; 32]);
        for i in 0..32 {
            let moment = moments[dice.below(count.min(moments.len()) as u64) as usize];
            let after = moment.next.map_or(0.0, |next| trainer.model.predict(&next).into_iter().fold(-1.0, f32::max));
            (seen[i], action[i], worth[i]) = (moment.seen, moment.action, moment.reward + 0.95 * after);
        }
        trainer.step(&seen, &action, &worth)?;
        if round % 500 == 0 {
            println!("after {round:4} games it wins {:3.0} %", 100.0 * wins(&trainer.model));
        }
    }
    assert!(wins(&trainer.model) > 0.9);
    Ok(())
}
